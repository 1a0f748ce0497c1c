//! Copies of a catalog in PostgreSQL: the rows of all tables, as they are in one transaction.
//!
//! ```text
//!   towline catalog 1 schema 5\n
//!   sequence media_mediaid_seq 17\n              one line for each sequence that was used
//!   table job jobid,job,name,…\n                 and after each such line chunks: four bytes of length, then so many of
//!   …                                            COPY's text; a length of 0 ends the table
//!   end\n                                        then 16 bytes: the digest (XXH3-128) of all before
//! ```
//! Tables come after those that they refer to.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use towline_core::catalog::{CatalogError, CatalogErrorKind};
use towline_core::config::Postgres;
use towline_core::wire::digest::{Algorithm, Hasher};

use super::super::copy::{Failure, private};
use super::connect::connect;
use super::failure::failure;
use super::link::{Ask, Client, Transaction};
use super::migrations::{STEPS, migrate};
use super::owner::Owner;

/// What a copy begins with.
const MAGIC: &str = "towline catalog ";
/// The version of the format.
const FORMAT: &str = "1";
/// Bytes of a chunk.
const CHUNK: usize = 256 * 1024;
/// Bytes of the longest line and chunk that are read.
const LONGEST: usize = 16 << 20;
/// Bytes of the digest.
const DIGEST: usize = 16;
/// The schema of our tables in a database of Bareos.
const BESIDE: &str = "SELECT COUNT(to_regnamespace('towline_catalog'))::BIGINT";
/// Tables of this schema; those of one connection's or program's own are left out.
const TABLES: &str =
    "SELECT relname::TEXT FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
    AND relname NOT IN ('receipt', 'towlineversion') ORDER BY relname";
/// Which table refers to which.
const REFERENCES: &str =
    "SELECT a.relname::TEXT, b.relname::TEXT FROM pg_constraint c JOIN pg_class a ON a.oid = c.conrelid
    JOIN pg_class b ON b.oid = c.confrelid
    WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace AND a.oid <> b.oid";
const COLUMNS: &str = "SELECT attname::TEXT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0
    AND NOT attisdropped ORDER BY attnum";
const SEQUENCES: &str = "SELECT sequencename::TEXT, last_value FROM pg_sequences WHERE schemaname = current_schema()
    AND last_value IS NOT NULL ORDER BY sequencename";

/// Whether a file that begins so is a copy.
pub(in crate::catalog) fn is_copy(head: &[u8]) -> bool {
    head == MAGIC.as_bytes()
}

/// Writes a copy into a new file. Returns how many jobs are in it.
///
/// # Errors
/// The server or the disk failed.
pub(in crate::catalog) fn backup(server: &Postgres, file: &Path) -> Result<u64, Failure> {
    let mut client = connect(server)?;
    enter(&client)?;
    let transaction = client.picture().map_err(|e| failure(&e))?;
    let version = number(&transaction, "SELECT VersionId FROM TowlineVersion")?;
    let jobs = number(&transaction, "SELECT COUNT(*)::BIGINT FROM Job")?;
    let mut out = Out { file: BufWriter::new(private(file)?), hasher: Hasher::new(Algorithm::Xxh128) };
    let failed = |error: io::Error| Failure::of(file, &error);
    out.put(format!("{MAGIC}{FORMAT} schema {version}\n").as_bytes()).map_err(failed)?;
    for row in transaction.query(SEQUENCES, &[]).map_err(|e| failure(&e))? {
        let read = |e: tokio_postgres::Error| failure(&e);
        let (name, last): (String, i64) = (row.try_get(0).map_err(read)?, row.try_get(1).map_err(read)?);
        out.put(format!("sequence {name} {last}\n").as_bytes()).map_err(failed)?;
    }
    for table in tables(&transaction)? {
        let columns = strings(&transaction, COLUMNS, &[&table])?.join(",");
        out.put(format!("table {table} {columns}\n").as_bytes()).map_err(failed)?;
        let sql = format!("COPY {table} ({columns}) TO STDOUT");
        let mut rows = transaction.copy_out(&sql).map_err(|e| failure(&e))?;
        let mut chunk = vec![0; CHUNK];
        // After its end it may not be read again.
        let mut is_last = false;
        while !is_last {
            let have = fill(&mut rows, &mut chunk).map_err(|error| lost(&error))?;
            is_last = have < chunk.len();
            if have > 0 {
                let length = u32::try_from(have).unwrap_or(0);
                out.put(&length.to_be_bytes()).and_then(|()| out.put(&chunk[..have])).map_err(failed)?;
            }
        }
        out.put(&[0; 4]).map_err(failed)?;
    }
    out.end().map_err(failed)?;
    Ok(u64::try_from(jobs).unwrap_or(0))
}

/// Puts a copy into an empty database, or one without jobs. Returns how many jobs are in it then.
///
/// # Errors
/// The copy is not whole, the database holds jobs or has another owner, or the server failed; nothing is stored then.
pub(in crate::catalog) fn restore(server: &Postgres, file: &Path) -> Result<u64, Failure> {
    let length = verify(file)?;
    let mut lines = Lines { file: BufReader::new(open(file)?.take(length)), name: file };
    let head = lines.line()?.unwrap_or_default();
    let version = head.strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(FORMAT)?.strip_prefix(" schema "));
    let version = version.and_then(|version| version.parse::<usize>().ok()).ok_or_else(|| lines.broken("its head"))?;
    let Some(steps) = STEPS.get(..version) else {
        let text = format!("the copy has schema version {version}, this program knows {}", STEPS.len());
        return Err(CatalogError::new(CatalogErrorKind::NewerSchema, text).into());
    };
    let mut client = connect(server)?;
    Owner::default().own(&client, server)?;
    enter(&client)?;
    migrate(&mut client, steps)?;
    let transaction = client.transaction().map_err(|e| failure(&e))?;
    let jobs = number(&transaction, "SELECT COUNT(*)::BIGINT FROM Job")?;
    if jobs > 0 {
        return Err(Failure::Copy(format!("the database {} holds {jobs} jobs", server.database)));
    }
    let known = tables(&transaction)?;
    // What counts rows has counted them already.
    for table in &known {
        let sql = format!("ALTER TABLE {table} DISABLE TRIGGER USER; TRUNCATE {table} CASCADE");
        transaction.batch_execute(&sql).map_err(|e| failure(&e))?;
    }
    load(&mut lines, &transaction, &known)?;
    for table in &known {
        transaction.batch_execute(&format!("ALTER TABLE {table} ENABLE TRIGGER USER")).map_err(|e| failure(&e))?;
    }
    let jobs = number(&transaction, "SELECT COUNT(*)::BIGINT FROM Job")?;
    transaction.commit().map_err(|e| failure(&e))?;
    migrate(&mut client, STEPS)?;
    Ok(u64::try_from(jobs).unwrap_or(0))
}

fn load(lines: &mut Lines<'_>, transaction: &Transaction<'_>, known: &[String]) -> Result<(), Failure> {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    while let Some(line) = lines.line()? {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("end"), None, None) => return Ok(()),
            (Some("sequence"), Some(name), Some(last)) if is_name(name) => {
                let last: i64 = last.parse().map_err(|_| lines.broken(&line))?;
                transaction.query("SELECT setval(to_regclass($1), $2)", &[&name, &last]).map_err(|e| failure(&e))?;
            }
            (Some("table"), Some(table), Some(columns))
                if known.iter().any(|of| of == table) && columns.split(',').all(is_name) =>
            {
                let sql = format!("COPY {table} ({columns}) FROM STDIN");
                let mut rows = transaction.copy_in(&sql).map_err(|e| failure(&e))?;
                while let Some(chunk) = lines.chunk()? {
                    rows.write_all(&chunk).map_err(|error| lost(&error))?;
                }
                rows.finish().map_err(|e| failure(&e))?;
            }
            _ => return Err(lines.broken(&line)),
        }
    }
    Err(lines.broken("its end"))
}

/// Goes to our tables beside those of Bareos, if that is where they are.
fn enter(client: &Client) -> Result<(), CatalogError> {
    if number(client, BESIDE)? > 0 {
        client.batch_execute("SET search_path TO towline_catalog").map_err(|e| failure(&e))?;
    }
    Ok(())
}

/// The tables, each after those that it refers to.
fn tables(client: &impl Ask) -> Result<Vec<String>, CatalogError> {
    let mut left = strings(client, TABLES, &[])?;
    let pairs = client.query(REFERENCES, &[]).map_err(|e| failure(&e))?;
    let pair = |row: &tokio_postgres::Row| -> Result<(String, String), tokio_postgres::Error> {
        Ok((row.try_get(0)?, row.try_get(1)?))
    };
    let pairs: Vec<_> = pairs.iter().map(pair).collect::<Result<_, _>>().map_err(|e| failure(&e))?;
    let mut ordered: Vec<String> = Vec::new();
    while !left.is_empty() {
        let waiting: BTreeSet<&String> = left.iter().collect();
        let is_free = |table: &String| !pairs.iter().any(|(from, to)| from == table && waiting.contains(to));
        let (free, rest): (Vec<String>, Vec<String>) = left.iter().cloned().partition(is_free);
        if free.is_empty() {
            return Err(CatalogError::new(CatalogErrorKind::Bug, "the tables refer to each other in a circle"));
        }
        ordered.extend(free);
        left = rest;
    }
    Ok(ordered)
}

fn number(client: &impl Ask, sql: &str) -> Result<i64, CatalogError> {
    let row = client.query_one(sql, &[]).map_err(|e| failure(&e))?;
    row.try_get(0).map_err(|e| failure(&e))
}

fn strings(
    client: &impl Ask,
    sql: &str,
    with: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<Vec<String>, CatalogError> {
    let rows = client.query(sql, with).map_err(|e| failure(&e))?;
    rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(|e| failure(&e))
}

/// Reads until the room is full or nothing comes any more.
fn fill(from: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while let Some(rest) = room.get_mut(have..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

fn lost(error: &io::Error) -> CatalogError {
    CatalogError::new(CatalogErrorKind::Unreachable, error.to_string())
}

fn open(file: &Path) -> Result<File, Failure> {
    File::open(file).map_err(|error| Failure::of(file, &error))
}

/// Whether the digest at the end of a file is that of all before; the length of that.
fn verify(file: &Path) -> Result<u64, Failure> {
    let failed = |error: io::Error| Failure::of(file, &error);
    let opened = open(file)?;
    let length = opened.metadata().map_err(failed)?.len().saturating_sub(DIGEST as u64);
    let mut reader = BufReader::new(opened);
    let (mut hasher, mut left, mut room) = (Hasher::new(Algorithm::Xxh128), length, vec![0; CHUNK]);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let have = fill(&mut reader, &mut room[..most]).map_err(failed)?;
        if have == 0 {
            break;
        }
        hasher.update(&room[..have]);
        left -= have as u64;
    }
    let mut digest = Vec::new();
    reader.take(DIGEST as u64 + 1).read_to_end(&mut digest).map_err(failed)?;
    if digest != hasher.finish().as_bytes() {
        return Err(Failure::Copy(format!("{} is damaged or cut off", file.display())));
    }
    Ok(length)
}

struct Out {
    file: BufWriter<File>,
    hasher: Hasher,
}

impl Out {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.file.write_all(bytes)
    }

    fn end(mut self) -> io::Result<()> {
        self.put(b"end\n")?;
        let digest = self.hasher.finish();
        self.file.write_all(digest.as_bytes())?;
        self.file.flush()
    }
}

struct Lines<'f> {
    file: BufReader<io::Take<File>>,
    name: &'f Path,
}

impl Lines<'_> {
    fn line(&mut self) -> Result<Option<String>, Failure> {
        let mut line = Vec::new();
        let read = (&mut self.file).take(LONGEST as u64).read_until(b'\n', &mut line);
        read.map_err(|error| Failure::of(self.name, &error))?;
        if line.is_empty() {
            return Ok(None);
        }
        let text = line.strip_suffix(b"\n").and_then(|line| String::from_utf8(line.to_vec()).ok());
        text.map(Some).ok_or_else(|| self.broken("a line"))
    }

    fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut length = [0; 4];
        self.file.read_exact(&mut length).map_err(|error| Failure::of(self.name, &error))?;
        let length = u32::from_be_bytes(length) as usize;
        if length > LONGEST {
            return Err(self.broken("the length of a chunk"));
        }
        let mut chunk = vec![0; length];
        self.file.read_exact(&mut chunk).map_err(|error| Failure::of(self.name, &error))?;
        Ok((length > 0).then_some(chunk))
    }

    fn broken(&self, what: &str) -> Failure {
        Failure::Copy(format!("{} cannot be read at {what:?}", self.name.display()))
    }
}
