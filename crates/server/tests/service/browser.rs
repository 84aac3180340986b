//! A real Chromium without a window, which reaches nothing but this machine.

use std::{process::Stdio, time::Duration};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::{Value, json};
use thirtyfour::{
    ChromiumLikeCapabilities as _, LoggingPrefsLogLevel, error::WebDriverErrorInner, prelude::*,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::{sleep, timeout},
};
use tollbar_testkit::{find_chromedriver, find_chromium};

const LIMIT: Duration = Duration::from_secs(60);
const LOOKS: u32 = 1_000;

/// A browser and what drives it. Dropping it ends both.
pub(crate) struct Browser {
    pub(crate) page: WebDriver,
    driver: Child,
}

impl Browser {
    pub(crate) async fn start() -> Self {
        let mut driver = Command::new(find_chromedriver().unwrap());
        driver.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        // With the processes of the browser, so that they end together.
        let mut driver = driver.process_group(0).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let said = async {
            loop {
                let line = lines.next_line().await.unwrap().expect("it says its port before it ends");
                if let Some((_, port)) = line.split_once("started successfully on port ") {
                    return port.trim_end_matches('.').parse::<u16>().unwrap();
                }
            }
        };
        let port = timeout(LIMIT, said).await.unwrap();
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(find_chromium().unwrap().to_str().unwrap()).unwrap();
        for argument in [
            "--headless=new",
            // Tests may run as root, in a container with a small /dev/shm.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ] {
            wanted.add_arg(argument).unwrap();
        }
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        let page = timeout(LIMIT, WebDriver::new(format!("http://127.0.0.1:{port}"), wanted)).await.unwrap();
        Self { page: page.unwrap(), driver }
    }

    /// The text of the one element with this id. The page may exchange it meanwhile, for one that says the same or more.
    pub(crate) async fn text(&self, id: &str) -> String {
        loop {
            let element = self.page.find(By::Id(id)).await.unwrap();
            match element.text().await {
                Ok(text) => return text,
                Err(error) if matches!(*error, WebDriverErrorInner::StaleElementReference(_)) => {}
                Err(error) => panic!("{id}: {error}"),
            }
        }
    }

    /// Waits until it is this.
    pub(crate) async fn until(&self, id: &str, text: &str) {
        for _ in 0..LOOKS {
            let shown = self.text(id).await;
            if shown == text {
                return;
            }
            sleep(LIMIT / LOOKS).await;
        }
        panic!("{id} is {} and not {text}", self.text(id).await);
    }

    /// What a script returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.page.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// Asks the browser itself, by the protocol of its developers' tools.
    pub(crate) async fn ask(&self, method: &str, parameters: Value) -> Value {
        self.page.cdp().send_raw(method, parameters).await.unwrap()
    }

    /// Of so many pixels, and whether people want it dark.
    pub(crate) async fn look(&self, width: u32, height: u32, dark: bool) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.ask("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = json!({"name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" }});
        self.ask("Emulation.setEmulatedMedia", json!({"features": [scheme]})).await;
    }

    /// What the console says that it should not.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.page.browser_log().await.unwrap();
        let bad = entries.into_iter().filter(|entry| entry.level != "INFO" && entry.level != "DEBUG");
        bad.map(|entry| entry.message).collect()
    }

    pub(crate) async fn end(self) {
        self.page.clone().quit().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(id) = self.driver.id() {
            let group = Pid::from_raw(i32::try_from(id).expect("a process has a small number"));
            // It may have ended already.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}
