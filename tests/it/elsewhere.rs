//! A provider that nobody here wrote (npm's oidc-provider), a server that logs in by it, and a
//! browser that keeps cookies.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::{Answer, answer, encode};

/// The client's secret, as tests/acceptance/oidc_provider.mjs has it.
pub(crate) const SECRET: &str = "a secret of tests";

/// A server and a provider.
pub(crate) struct Elsewhere {
    pub app: TestApp,
    /// Of duoku; no slash at the end.
    pub site: String,
    pub issuer: String,
    provider: Option<Child>,
    accounts: PathBuf,
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.stop_provider();
    }
}

/// A port of this machine that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

/// A server whose settings have one provider, `key`, with `more` lines of TOML.
pub(crate) fn server_with(key: &str, issuer: &str, more: &str) -> (TestApp, String) {
    let port = free_port();
    let site = format!("http://127.0.0.1:{port}");
    let mut app = TestApp::stopped(&[
        ("DUOKU_LISTEN", &format!("127.0.0.1:{port}")),
        ("DUOKU_SERVER_PUBLIC_URL", &site),
        ("DUOKU_RATES_LOGIN_PER_MINUTE", "100000"),
        ("DUOKU_SESSION_MAX_FAILURES", "1000"),
        (&format!("DUOKU_IDENTITY_SECRET_{}", key.to_uppercase()), SECRET),
    ]);
    let settings = format!(
        "[[identity.providers]]\nkey = \"{key}\"\nname = \"全市统一身份认证\"\nname_en = \"City login\"\n\
         issuer = \"{issuer}\"\nclient_id = \"duoku\"\nallow_http = true\n{more}\n"
    );
    let path = app.desk().join("duoku.toml");
    std::fs::write(&path, settings).expect("written");
    app.set("DUOKU_CONFIG", &path.display().to_string());
    app.serve(&[]);
    (app, site)
}

impl Elsewhere {
    /// With `more` lines of settings of the provider.
    pub(crate) fn start(more: &str) -> Self {
        let issuer = format!("http://127.0.0.1:{}", free_port());
        let (app, site) = server_with("city", &issuer, more);
        let accounts = app.desk().join("accounts.json");
        let mut all = Self { app, site, issuer, provider: None, accounts };
        all.claims("lin", json!({ "name": "林雪", "preferred_username": "lin" }));
        all.start_provider();
        all
    }

    /// What the provider says of `name` from now on.
    pub(crate) fn claims(&self, name: &str, claims: Value) {
        let text = std::fs::read_to_string(&self.accounts).unwrap_or_else(|_| "{}".into());
        let mut all: Value = serde_json::from_str(&text).expect("JSON");
        all[name] = claims;
        std::fs::write(&self.accounts, all.to_string()).expect("written");
    }

    /// Starts the provider, with fresh keys.
    pub(crate) fn start_provider(&mut self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let installed = root.join("web/node_modules/oidc-provider/package.json");
        assert!(
            installed.exists(),
            "npm's oidc-provider is missing: `scripts/web.sh build` installs it, as `make test` does"
        );
        let mut child = Command::new("node")
            .arg(root.join("tests/acceptance/oidc_provider.mjs"))
            .args([self.issuer.rsplit(':').next().expect("a port"), &self.site, "city"])
            .arg(&self.accounts)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is installed (scripts/setup.sh build)");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let ready = lines.next().expect("the provider starts").expect("UTF-8");
        assert!(ready.starts_with("ready "), "{ready}");
        // It goes on to say things, and ends when nobody reads them.
        std::thread::spawn(move || lines.for_each(drop));
        self.provider = Some(child);
    }

    pub(crate) fn stop_provider(&mut self) {
        if let Some(mut child) = self.provider.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// A browser that nobody used yet.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.site)
    }

    /// A browser in which `name` of the provider has logged in.
    pub(crate) async fn arrived(&self, name: &str) -> Browser {
        let browser = self.browser();
        browser.arrive(name).await;
        browser
    }
}

/// A browser: it keeps cookies, and follows no redirect by itself.
pub(crate) struct Browser {
    http: reqwest::Client,
    site: String,
}

impl Browser {
    pub(crate) fn new(site: &str) -> Self {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        Self { http, site: site.to_owned() }
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http://") {
            path.to_owned()
        } else {
            format!("{}{path}", self.site)
        };
        self.http.request(method, url).header("accept", "text/html").header("accept-language", "zh")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.ask(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let form = "application/x-www-form-urlencoded";
        answer(self.ask(Method::POST, path).header("content-type", form).body(body)).await
    }

    /// Sends a form of this site with the value that its page carries.
    pub(crate) async fn fill(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let text = self.get(page).await.expect(200).text();
        let csrf = between(&text, "name=\"csrf\" value=\"", "\"").to_owned();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        self.post(path, &all).await
    }

    /// Begins a login; gives where the provider is asked.
    pub(crate) async fn begin(&self, path: &str) -> String {
        self.get(path).await.expect(303).header("location").to_owned()
    }

    /// Logs in at the provider as `name`, from its address `url` on; gives the address that it
    /// sends the browser back to.
    pub(crate) async fn through(&self, url: &str, name: &str) -> String {
        let mut url = url.to_owned();
        for _ in 0..12 {
            if url.starts_with(&self.site) {
                return url;
            }
            let came = self.get(&url).await;
            let said = if came.status == 200 {
                let page = came.text();
                let prompt = between(&page, "name=\"prompt\" value=\"", "\"");
                let action = between(&page, "action=\"", "\"").to_owned();
                let fields = [("prompt", prompt), ("login", name), ("password", "any")];
                self.post(&action, &fields).await
            } else {
                came
            };
            let next = said.header("location");
            assert!(!next.is_empty(), "the provider answers {} on the way", said.status);
            url = joined(&url, next);
        }
        panic!("the provider leads nowhere");
    }

    /// Logs in as `name` of the provider; gives the last answer of duoku.
    pub(crate) async fn log_in(&self, name: &str) -> Answer {
        let url = self.begin("/login/with/city?next=/libraries").await;
        let back = self.through(&url, name).await;
        self.get(&back).await
    }

    /// The same, which must go well.
    pub(crate) async fn arrive(&self, name: &str) {
        assert_eq!(self.log_in(name).await.expect(303).header("location"), "/libraries");
    }

    /// The login name of who is logged in; empty when nobody is.
    pub(crate) async fn name(&self) -> String {
        let said = self.get("/api/session").await;
        if said.status == 401 {
            String::new()
        } else {
            said.expect(200).json()["name"].as_str().unwrap_or_default().to_owned()
        }
    }
}

/// Where `next` leads from `url`.
pub(crate) fn joined(url: &str, next: &str) -> String {
    url::Url::parse(url).and_then(|url| url.join(next)).expect("an address").into()
}

/// What stands between two texts.
#[track_caller]
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?}")).1;
    rest.split_once(after).expect("it ends").0
}

/// A parameter of an address, decoded.
pub(crate) fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).expect("an address");
    let found = url.query_pairs().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no {name}")).1.into_owned()
}

/// The sentence for `code`, as the page of a refused login has it.
pub(crate) fn told(code: &str) -> String {
    duoku::api::sentence(duoku::pages::Lang::Zh, code, "全市统一身份认证")
}
