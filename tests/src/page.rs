//! A page that a test looks at and uses as a person would: the real window, or a browser's tab.

use crate::chat::http;
use crate::desktop::Desktop;
use crate::program::{Program, SOON, built, eventually, free_port, soon};
use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The window or tab, with the driver that leads to it. Both end with this value.
#[derive(Debug)]
pub struct Page {
    client: Client,
    driver: Program,
    _folder: TempDir,
}

impl Page {
    /// Opens the desktop program.
    pub async fn window(desktop: &Desktop, arguments: &[&str]) -> Self {
        let app = built("bedside", "-p bedside --features bedside/custom-protocol");
        Self::window_of(&app, desktop, arguments).await
    }

    /// Opens the window of a Tauri program.
    pub async fn window_of(app: &Path, desktop: &Desktop, arguments: &[&str]) -> Self {
        let mut command = Command::new("WebKitWebDriver");
        // Without it the program never reports to the driver.
        command.env("TAURI_WEBVIEW_AUTOMATION", "true");
        desktop.give_to(&mut command);
        let options = json!({ "binary": app, "args": arguments });
        Self::open(command, json!({ "webkitgtk:browserOptions": options })).await
    }

    /// Opens an address in a browser without a screen.
    pub async fn browser(url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=412,915",
            &profile,
        ];
        let binary = std::env::var("CHROME").unwrap_or_else(|_| "chromium".to_owned());
        let options = json!({ "binary": path_of(&binary), "args": arguments });
        let mut page =
            Self::open(Command::new("chromedriver"), json!({ "goog:chromeOptions": options })).await;
        page._folder = folder;
        page.client.goto(url).await.expect("the address opens");
        page
    }

    async fn open(mut command: Command, capabilities: Value) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        command.arg(format!("--port={port}"));
        let name = command.get_program().to_string_lossy().into_owned();
        let mut driver = Program::start(&name, &mut command, &folder.path().join("driver.log"));
        let url = format!("http://127.0.0.1:{port}");
        let status = format!("{url}/status");
        let http = http(SOON).expect("a client");
        eventually("the driver is ready", async || {
            driver.assert_running();
            http.get(&status).send().await.is_ok()
        })
        .await;
        let capabilities: Capabilities = serde_json::from_value(capabilities).expect("an object");
        let session = ClientBuilder::native().capabilities(capabilities).connect(&url).await;
        let client = session.unwrap_or_else(|error| panic!("no page: {error}\n{}", driver.said()));
        Self { client, driver, _folder: folder }
    }

    /// Closes it as its own close button would.
    pub async fn close(self) {
        drop(self.client.close().await);
    }

    /// Ends the program behind it at once.
    pub fn kill(mut self) {
        self.driver.kill();
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.client.refresh().await.expect("the page loads again");
    }

    /// Waits for an element.
    pub async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(SOON).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("no {css} on the page: {error}; it says:\n{}", self.says().await),
        }
    }

    /// Waits for an element, and clicks it. A list may move it away from under the click: then it tries again.
    pub async fn click(&self, css: &str) {
        let click = async || self.find(css).await.click().await.is_ok();
        self.until(&format!("{css} can be clicked"), click).await;
    }

    /// Waits for an element, and types into it.
    pub async fn write(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        element.send_keys(text).await.unwrap_or_else(|error| panic!("{css} takes no text: {error}"));
    }

    /// What a script returns.
    pub async fn ask<T: DeserializeOwned>(&self, script: &str, argument: impl Into<Value>) -> T {
        let answer = self.client.execute(script, vec![argument.into()]).await.expect("the script runs");
        serde_json::from_value(answer.clone()).unwrap_or_else(|_| panic!("the script answers {answer}"))
    }

    /// What a script passes to its last argument, a function.
    pub async fn ask_later<T: DeserializeOwned>(&self, script: &str, argument: impl Into<Value>) -> T {
        let answer = self.client.execute_async(script, vec![argument.into()]).await.expect("the script runs");
        serde_json::from_value(answer.clone()).unwrap_or_else(|_| panic!("the script answers {answer}"))
    }

    /// Waits until as many elements as that match.
    pub async fn count(&self, css: &str, expected: usize) {
        let matching = "return document.querySelectorAll(arguments[0]).length";
        let what = format!("{expected} {css} are on the page");
        self.until(&what, async || self.ask::<usize>(matching, css).await == expected).await;
    }

    /// Waits until one of the elements holds the text.
    pub async fn shows(&self, css: &str, text: &str) {
        let script = "const [css, text] = arguments[0];
            return [...document.querySelectorAll(css)].some((element) => element.textContent.includes(text))";
        let what = format!("{css} shows {text:?}");
        self.until(&what, async || self.ask::<bool>(script, json!([css, text])).await).await;
    }

    /// How often the text stands in elements like that, now.
    pub async fn times(&self, css: &str, text: &str) -> usize {
        let script = "const [css, text] = arguments[0];
            return [...document.querySelectorAll(css)].filter((element) => element.textContent.includes(text)).length";
        self.ask(script, json!([css, text])).await
    }

    /// Writes a picture of it.
    pub async fn screenshot(&self, file: &Path) {
        let picture = self.client.screenshot().await.expect("a picture");
        std::fs::write(file, picture).expect("the picture can be written");
    }

    /// What axe-core finds wrong with it, a line each.
    pub async fn inaccessible(&self) -> Vec<String> {
        let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(axe).expect("axe-core is installed (npm ci in ui/)");
        self.ask::<Value>(&axe, Value::Null).await;
        let run = "const done = arguments[arguments.length - 1];
            axe.run().then(({ violations }) => done(violations.flatMap(({ id, nodes }) =>
                nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary}`))), (error) => done([String(error)]))";
        self.ask_later(run, Value::Null).await
    }

    /// Waits for a condition; panics with what the page says.
    pub async fn until(&self, what: &str, condition: impl AsyncFnMut() -> bool) {
        if !soon(condition).await {
            panic!("it never came to be that {what}; the page says:\n{}", self.says().await);
        }
    }

    /// All that can be read on the page.
    pub async fn says(&self) -> String {
        self.ask("return document.body.innerText", Value::Null).await
    }
}

fn path_of(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{program} is not installed"))
}
