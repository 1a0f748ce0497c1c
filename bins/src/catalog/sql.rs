//! The part of SQL that both engines understand: statements with numbered places, values and rows.
//!
//! A statement is written once, in words that mean the same to SQLite and to PostgreSQL. Places are `?1`, `?2`…; all
//! numbers are 64 bits wide; flags are 0 and 1. What cannot be said alike is in the [`Dialect`].

use std::time::Duration;

use towline_core::catalog::{CatalogError, CatalogErrorKind};

use super::files::FileEntry;

/// What came of a statement.
pub(crate) type Result<T> = std::result::Result<T, CatalogError>;

/// What a statement of an operator comes to: the names of the columns, and rows of text.
pub(crate) type Answered = (Vec<String>, Vec<Vec<String>>);

/// How long such a statement may take.
pub(crate) const QUERY_PATIENCE: Duration = Duration::from_secs(30);

/// Refuses what does not begin as a question does.
///
/// # Errors
/// `Constraint` then.
pub(crate) fn must_ask(sql: &str) -> Result<()> {
    let first = sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    match ["select", "with", "values", "explain"].iter().any(|word| first.eq_ignore_ascii_case(word)) {
        true => Ok(()),
        false => Err(refused("only statements that read are taken, beginning with SELECT, WITH, VALUES or EXPLAIN")),
    }
}

/// An operator's statement is refused, or has failed.
pub(crate) fn refused(why: impl std::fmt::Display) -> CatalogError {
    CatalogError::new(CatalogErrorKind::Constraint, format!("the statement: {why}"))
}

/// The statements of one transaction.
pub(crate) trait Session {
    /// Changes rows; returns how many.
    ///
    /// # Errors
    /// What the engine says.
    fn execute(&mut self, sql: &str, with: &[Value]) -> Result<u64>;

    /// All rows of a question.
    ///
    /// # Errors
    /// What the engine says.
    fn query(&mut self, sql: &str, with: &[Value]) -> Result<Vec<Row>>;

    /// Stores a file, or keeps it until [`flush_files`](Self::flush_files). The same key again replaces it.
    ///
    /// # Errors
    /// What the engine says.
    fn put_file(&mut self, job_id: u32, file: &FileEntry<'_>) -> Result<()>;

    /// Stores what [`put_file`](Self::put_file) has kept.
    ///
    /// # Errors
    /// What the engine says.
    fn flush_files(&mut self) -> Result<()>;

    /// The answer to an operator's statement, which can only read and does not take for ever: the names of its columns and
    /// its rows as text.
    ///
    /// # Errors
    /// `Constraint` if it is no single statement that reads, or takes too long; what the engine says of it.
    fn read_only(&mut self, sql: &str, limit: u32) -> Result<Answered>;

    /// What this engine says in its own way.
    fn dialect(&self) -> &'static Dialect;
}

/// What the engines say differently.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The condition of a row of Path for the path in place 1.
    pub(crate) path_is: &'static str,
    /// The condition of a row `child` of Path for the folder that has the name of file `f` in folder `p`.
    pub(crate) child_is: &'static str,
    /// The condition of a row of File for the `LIKE` in place 5 of its name: only `%`, letters, digits and points, in some case.
    pub(crate) name_is_like: &'static str,
    /// The highest MediaId ever given, 0 if none.
    pub(crate) highest_media_id: &'static str,
    /// Lets the numbers of new jobs follow one that was inserted with its number; `None` if they do by themselves.
    pub(crate) follow_jobs: Option<&'static str>,
    /// The highest JobId ever given, 0 if none.
    pub(crate) highest_job_id: &'static str,
    /// Has the next JobId be above that in place 1.
    pub(crate) raise_job_id: &'static str,
}

/// What stands in a place of a statement, or in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

macro_rules! numbers {
    ($($type:ty),*) => { $(
        impl From<$type> for Value {
            fn from(number: $type) -> Self {
                Self::Int(number.into())
            }
        }
    )* };
}

numbers!(i64, i32, u32, bool);

impl From<u64> for Value {
    /// Numbers of a database are signed; no counter of a backup reaches the difference.
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

/// The values of a statement's places in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::catalog::sql::Value::from($value)),*] };
}

pub(crate) use values;

/// A row, read column by column from the first.
#[derive(Debug)]
pub(crate) struct Row(std::vec::IntoIter<Value>);

impl Row {
    /// A row of these columns.
    pub(crate) fn new(columns: Vec<Value>) -> Self {
        Self(columns.into_iter())
    }

    /// The next column.
    ///
    /// # Errors
    /// `Corrupt` if it holds something else.
    pub(crate) fn take<T: Field>(&mut self) -> Result<T> {
        let value = self.0.next().unwrap_or(Value::Null);
        T::read(value).map_err(|value| {
            let wanted = std::any::type_name::<T>();
            CatalogError::new(CatalogErrorKind::Corrupt, format!("a row holds {value:?} in place of {wanted}"))
        })
    }
}

/// What a column can be read as.
pub(crate) trait Field: Sized {
    /// The value as this type, or given back.
    fn read(value: Value) -> std::result::Result<Self, Value>;
}

macro_rules! number_fields {
    ($($type:ty),*) => { $(
        impl Field for $type {
            fn read(value: Value) -> std::result::Result<Self, Value> {
                match value {
                    Value::Int(number) => Self::try_from(number).map_err(|_| value),
                    other => Err(other),
                }
            }
        }
    )* };
}

number_fields!(i64, i32, u32);

impl Field for u64 {
    fn read(value: Value) -> std::result::Result<Self, Value> {
        i64::read(value).map(|number| Self::try_from(number).unwrap_or(0))
    }
}

impl Field for Value {
    fn read(value: Self) -> std::result::Result<Self, Self> {
        Ok(value)
    }
}

impl Field for bool {
    fn read(value: Value) -> std::result::Result<Self, Value> {
        i64::read(value).map(|number| number != 0)
    }
}

impl Field for String {
    fn read(value: Value) -> std::result::Result<Self, Value> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(other),
        }
    }
}

impl Field for Vec<u8> {
    fn read(value: Value) -> std::result::Result<Self, Value> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(other),
        }
    }
}

/// The first row of a question, if there is one.
///
/// # Errors
/// What the engine says.
pub(crate) fn first(t: &mut dyn Session, sql: &str, with: &[Value]) -> Result<Option<Row>> {
    t.query(sql, with).map(|rows| rows.into_iter().next())
}

/// The one column of the one row of a statement that always returns one.
///
/// # Errors
/// What the engine says.
pub(crate) fn scalar<T: Field>(t: &mut dyn Session, sql: &str, with: &[Value]) -> Result<T> {
    match first(t, sql, with)? {
        Some(mut row) => row.take(),
        None => Err(CatalogError::new(CatalogErrorKind::Bug, format!("no row came of: {sql}"))),
    }
}

/// All rows of a question, each made into something.
///
/// # Errors
/// What the engine says.
pub(crate) fn all<T>(
    t: &mut dyn Session,
    sql: &str,
    with: &[Value],
    make: impl Fn(&mut Row) -> Result<T>,
) -> Result<Vec<T>> {
    t.query(sql, with)?.iter_mut().map(make).collect()
}

/// A row that must be there is not: an id that nobody gave.
pub(crate) fn missing(what: &str) -> CatalogError {
    CatalogError::new(CatalogErrorKind::Constraint, format!("there is no {what}"))
}
