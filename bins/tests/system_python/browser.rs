//! The page of a director in a real browser: Chromium, led by its own driver, `chromedriver`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::http::ask;
use crate::support::network::{Network, PAGE_TOKEN};
use crate::support::{PATIENCE, plant};

const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with one window, and its driver; ended when dropped.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

impl Browser {
    fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver: install chromium and chromium-driver");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port =
            lines.find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
        // What it says later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().unwrap();
        let data = format!("--user-data-dir={}", profile.path().display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([data.as_str(), "--window-size=1400,1500"]).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": { "args": arguments } } } });
        let mut browser =
            Self { driver, port: port.expect("the port of chromedriver"), session: String::new(), _profile: profile };
        let (status, answer) =
            ask(browser.port, "POST /session", "Content-Type: application/json\r\n", &wanted.to_string());
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        browser.session = answer["value"]["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    fn order(&self, what: &str, order: &Value) -> Value {
        let what = format!("POST /session/{}/{what}", self.session);
        let (status, answer) = ask(self.port, &what, "Content-Type: application/json\r\n", &order.to_string());
        assert_eq!(status, 200, "{what}: {answer}");
        serde_json::from_str::<Value>(&answer).unwrap()["value"].take()
    }

    fn open(&self, url: &str) {
        self.order("url", &json!({ "url": url }));
    }

    /// What an expression comes to in the page.
    fn eval(&self, expression: &str) -> Value {
        self.order("execute/sync", &json!({ "script": format!("return {expression};"), "args": [] }))
    }

    /// The text of what a selector finds.
    fn text(&self, selector: &str) -> String {
        let found = self.eval(&format!("(document.querySelector({selector:?}) || {{}}).textContent || ''"));
        found.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the text of what a selector finds has these words.
    fn shows(&self, selector: &str, words: &str) -> String {
        let mut last = String::new();
        let found = comes_true(&mut || {
            last = self.text(selector);
            last.contains(words)
        });
        assert!(found, "{selector} does not show {words:?}: {last}");
        last
    }

    fn scheme(&self, scheme: &str) -> String {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let order = json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        self.order("goog/cdp/execute", &order);
        self.eval("getComputedStyle(document.body).backgroundColor").as_str().unwrap().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ended = ask(self.port, &format!("DELETE /session/{}", self.session), "", "");
        }
        let _ended = self.driver.kill();
        let _reaped = self.driver.wait();
    }
}

/// Whether a condition comes true in time.
fn comes_true(condition: &mut dyn FnMut() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_browser_shows_the_network_as_it_lives_and_nothing_without_the_token() {
    let mut plan = Network::shown();
    // The data of the second backup takes long enough to be seen.
    plan.client = "maximum_bandwidth_per_job: \"200 KiB\",".to_owned();
    let mut network = Network::start(&plan);
    plant(&network.source, 1, 300_000);
    assert!(network.backup().is_ok());
    let port = network.metrics_port();
    let browser = Browser::start();

    browser.open(&format!("http://127.0.0.1:{port}/"));
    assert_eq!(browser.text("#name"), "", "nothing is shown without the token");
    browser.open(&format!("http://anybody:wrong@127.0.0.1:{port}/"));
    assert_eq!(browser.text("#name"), "");

    browser.open(&format!("http://anybody:{PAGE_TOKEN}@127.0.0.1:{port}/"));
    browser.shows("#said", "live");
    assert_eq!(browser.text("#name"), "Towline · d");
    let cells = "[...document.querySelectorAll('#grid tbody tr')].map((row) => \
                 [row.cells[0].textContent, row.querySelectorAll('td.cell').length, row.querySelectorAll('td.ok').length])";
    assert_eq!(browser.eval(cells), json!([["f", 14, 1]]));
    browser.shows("#volumes", "v-0001");
    browser.shows("#jobs", "No job runs.");
    for node in ["#map svg", "#connections"] {
        let shown = browser.shows(node, "12");
        assert!(shown.contains("MyCatalog"), "{shown}");
    }

    // What happens is seen without anybody doing anything.
    plant(&network.source.join("more"), 2, 2_000_000);
    let job = network.begin_full_backup();
    browser.shows("#jobs", &format!("{job}"));
    let tags = "[...document.querySelectorAll('#map .tag-text')].map((tag) => tag.textContent)";
    let mut last = Value::Null;
    let all_are_drawn = comes_true(&mut || {
        last = browser.eval(tags);
        ["3", "5a", "6", "12"].iter().all(|number| last.as_array().unwrap().contains(&json!(number)))
    });
    assert!(all_are_drawn, "{last}");
    let (light, dark) = (browser.scheme("light"), browser.scheme("dark"));
    assert_ne!(light, dark);
    browser.scheme("light");
    assert!(network.end_of(job).is_ok());
    browser.shows("#jobs", "No job runs.");

    network.director.kill();
    browser.shows("#said", "no answer from the director");
}
