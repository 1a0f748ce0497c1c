//! A server that speaks as much of S3 as is asked of it, and misbehaves when it is told to. It checks no signatures.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// How it misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It answers with this status and this code, and does nothing.
    Says(u16, &'static str),
    /// It does what is asked, and hangs up before it answers.
    HangsUp,
    /// It sends half of the body.
    Cuts,
    /// It says that it has stored what is put, and has not.
    Loses,
    /// It stores half of what is put, and says that it is all.
    Halves,
    /// It does what is asked, and does not answer before it is to behave.
    Holds,
    /// It gives as many other bytes.
    Garbles,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Bucket and key.
    pub path: String,
    pub query: String,
    pub range: Option<(usize, usize)>,
    creates: bool,
    body: Vec<u8>,
}

type Script = Box<dyn Fn(&Asked) -> Option<Fault> + Send>;

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    asked: Vec<Asked>,
    script: Option<Script>,
}

/// The server, with one bucket called `bucket`. It ends with the process.
#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    behaves: Arc<Condvar>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_over(|stream| stream)
    }

    /// Behind what is put around each connection.
    pub fn start_over<S: Read + Write>(wrap: impl Fn(TcpStream) -> S + Send + Sync + 'static) -> Self {
        let wrap = Arc::new(wrap);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), state: Arc::default(), behaves: Arc::default() };
        let mine = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (server, wrap) = (mine.clone(), Arc::clone(&wrap));
                thread::spawn(move || server.serve(wrap(stream)));
            }
        });
        server
    }

    /// From now on it misbehaves as the script says.
    pub fn misbehave(&self, script: impl Fn(&Asked) -> Option<Fault> + Send + 'static) {
        self.state.lock().unwrap().script = Some(Box::new(script));
    }

    pub fn behave(&self) {
        self.state.lock().unwrap().script = None;
        self.behaves.notify_all();
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// Keys and lengths of what is stored.
    pub fn stored(&self) -> Vec<(String, usize)> {
        self.state.lock().unwrap().objects.iter().map(|(key, bytes)| (key.clone(), bytes.len())).collect()
    }

    pub fn change(&self, key: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(self.state.lock().unwrap().objects.entry(key.to_owned()).or_default());
    }

    pub fn lose(&self, key: &str) {
        self.state.lock().unwrap().objects.remove(key).unwrap();
    }

    fn serve(&self, stream: impl Read + Write) {
        let mut reader = BufReader::new(stream);
        while let Some(asked) = read(&mut reader) {
            let fault = {
                let mut state = self.state.lock().unwrap();
                state.asked.push(Asked { body: Vec::new(), ..asked.clone() });
                state.script.as_ref().and_then(|script| script(&asked))
            };
            let (status, headers, mut body) = match fault {
                Some(Fault::Says(status, code)) => (status, String::new(), error(code)),
                Some(Fault::Loses) => (200, "ETag: \"e\"\r\n".to_owned(), Vec::new()),
                Some(Fault::Halves) => {
                    let half = asked.body[..asked.body.len() / 2].to_vec();
                    self.answer(&Asked { body: half, ..asked.clone() })
                }
                _ => self.answer(&asked),
            };
            match fault {
                Some(Fault::Holds) => {
                    let state = self.state.lock().unwrap();
                    drop(self.behaves.wait_while(state, |state| state.script.is_some()).unwrap());
                }
                Some(Fault::Garbles) => body.fill(0x5a),
                Some(Fault::HangsUp) => return,
                _ => {}
            }
            let length =
                if asked.method == "HEAD" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
            let head = format!("HTTP/1.1 {status} Said\r\n{headers}{length}\r\n");
            if fault == Some(Fault::Cuts) {
                body.truncate(body.len() / 2);
            }
            let stream = reader.get_mut();
            if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_err()
                || fault == Some(Fault::Cuts)
            {
                return;
            }
        }
    }

    fn answer(&self, asked: &Asked) -> (u16, String, Vec<u8>) {
        let mut state = self.state.lock().unwrap();
        let Some(key) = asked.path.strip_prefix("bucket").map(|key| key.trim_start_matches('/').to_owned()) else {
            return (404, String::new(), error("NoSuchBucket"));
        };
        let stamp = "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nETag: \"e\"\r\n";
        match asked.method.as_str() {
            "GET" if key.is_empty() => (200, String::new(), list(&state.objects, &asked.query)),
            "GET" | "HEAD" => {
                let Some(bytes) = state.objects.get(&key) else { return (404, String::new(), error("NoSuchKey")) };
                let all = bytes.len();
                match asked.range {
                    Some((start, _)) if start >= all => (416, String::new(), error("InvalidRange")),
                    Some((start, last)) => {
                        let last = last.min(all - 1);
                        let headers = format!("{stamp}Content-Range: bytes {start}-{last}/{all}\r\n");
                        (206, headers, bytes[start..=last].to_vec())
                    }
                    None if asked.method == "HEAD" => (200, format!("{stamp}Content-Length: {all}\r\n"), Vec::new()),
                    None => (200, stamp.to_owned(), bytes.clone()),
                }
            }
            "PUT" if asked.creates && state.objects.contains_key(&key) => {
                (412, String::new(), error("PreconditionFailed"))
            }
            "PUT" => {
                state.objects.insert(key, asked.body.clone());
                (200, "ETag: \"e\"\r\n".to_owned(), Vec::new())
            }
            "DELETE" => {
                state.objects.remove(&key);
                (204, String::new(), Vec::new())
            }
            _ => (501, String::new(), error("NotImplemented")),
        }
    }
}

fn error(code: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>So it is.</Message></Error>").into_bytes()
}

fn list(objects: &BTreeMap<String, Vec<u8>>, query: &str) -> Vec<u8> {
    let of = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().replace("%2F", "/")
    };
    let (prefix, delimiter, after) = (of("prefix"), of("delimiter"), of("start-after"));
    let (mut contents, mut folders) = (String::new(), Vec::new());
    for (key, bytes) in objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after) {
        match key[prefix.len()..].split_once('/').filter(|_| !delimiter.is_empty()) {
            Some((folder, _)) => folders.push(format!("{prefix}{folder}/")),
            None => {
                contents += &format!(
                    "<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>\"e\"</ETag>\
                     <Size>{}</Size></Contents>",
                    bytes.len()
                );
            }
        }
    }
    folders.dedup();
    let folders: String =
        folders.iter().map(|folder| format!("<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>")).collect();
    format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>{contents}{folders}\
         </ListBucketResult>"
    )
    .into_bytes()
}

fn read(reader: &mut BufReader<impl Read + Write>) -> Option<Asked> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (mut length, mut creates, mut range) = (0, false, None);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "if-none-match" => creates = true,
            "expect" => reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?,
            "range" => {
                let (start, last) = value.strip_prefix("bytes=")?.split_once('-')?;
                range = Some((start.parse().ok()?, last.parse().ok()?));
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = path.trim_start_matches('/').to_owned();
    Some(Asked { method, path, query: query.to_owned(), range, creates, body })
}
