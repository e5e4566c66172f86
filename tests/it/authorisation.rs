//! The authorisation table: every route, as eleven kinds of caller, about what is public, internal,
//! private and missing. `authorisation.tsv` holds what each gets; with `DUOKU_WRITE_TABLE=1` it is
//! written anew, to be read before it is checked in.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::Method;
use serde_json::{Value, json};

use crate::authorisation_net::{CALLERS, Net, SUBJECTS};
use crate::client::{Client, answer};

/// The table's file.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/authorisation.tsv");

/// Callers without a role in the libraries: the first so many of [`CALLERS`].
const OUTSIDE: usize = 3;

#[tokio::test]
async fn every_route_gives_every_caller_what_the_table_says() {
    let mut net = Net::start().await;
    let mut table = String::from("method\tpath\tpolicy\tabout");
    CALLERS.iter().for_each(|caller| write!(table, "\t{caller}").expect("written"));
    table.push('\n');
    let mut wrong = Vec::new();
    for route in net.routes().await {
        let method: Method = route.method.parse().expect("a method");
        for subject in if route.path.contains('{') { &SUBJECTS[..] } else { &SUBJECTS[..1] } {
            let mut row = Vec::new();
            for at in 0..CALLERS.len() {
                let request = net.request(at, &method, &route.path, subject).await;
                row.push(request.send().await.expect("an answer").status().as_u16());
            }
            wrong.extend(contradictions(&method, &route.path, route.policy, subject, &row));
            write!(table, "{method}\t{}\t{}\t{subject}", route.path, route.policy)
                .expect("written");
            row.iter().for_each(|status| write!(table, "\t{status}").expect("written"));
            table.push('\n');
        }
    }
    net.close().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if std::env::var_os("DUOKU_WRITE_TABLE").is_some() {
        std::fs::write(TABLE, &table).expect("written");
    }
    let kept = std::fs::read_to_string(TABLE).unwrap_or_default();
    let (kept, got): (BTreeSet<_>, BTreeSet<_>) = (kept.lines().collect(), table.lines().collect());
    let mut differ: Vec<String> = kept.difference(&got).map(|line| format!("- {line}")).collect();
    differ.extend(got.difference(&kept).map(|line| format!("+ {line}")));
    assert!(differ.is_empty(), "the table says otherwise:\n{}", differ.join("\n"));
}

/// What no table may say.
fn contradictions(
    method: &Method,
    path: &str,
    policy: &str,
    subject: &str,
    row: &[u16],
) -> Vec<String> {
    let mut wrong = Vec::new();
    let of_resource = path.contains("resources/{id}") || path.starts_with("/media/{id}");
    for (at, got) in row.iter().enumerate() {
        let (outside, seen) = (at < OUTSIDE, (200..300).contains(got));
        let why = if *got >= 500 {
            "an error of ours"
        } else if policy != "anyone" && at == 0 && ![401, 303].contains(got) {
            "nobody is let through to what is not for anyone"
        } else if policy == "administrator" && at + 1 < CALLERS.len() && seen {
            "only an administrator is let through"
        } else if of_resource && outside && subject != "public" && seen {
            "sees what is not public"
        } else if of_resource && outside && *method != Method::GET && seen {
            "changes what is not theirs"
        } else {
            continue;
        };
        wrong.push(format!("{method} {path} {subject} as {}: {got}: {why}", CALLERS[at]));
    }
    wrong
}

/// What a caller may not see looks like what is not there, to the byte but for ids.
#[tokio::test]
async fn private_looks_like_missing_everywhere() {
    let mut net = Net::start().await;
    let mut differ = Vec::new();
    for route in net.routes().await {
        let things =
            ["resources/{id}", "/media/{id}", "courses/{id}", "collections/{id}", "{slug}"];
        if !things.iter().any(|thing| route.path.contains(thing)) {
            continue;
        }
        let method: Method = route.method.parse().expect("a method");
        for (at, caller) in CALLERS.iter().enumerate().take(OUTSIDE) {
            let mut answers = Vec::new();
            for subject in ["private", "internal", "missing"] {
                let request = net.request(at, &method, &route.path, subject).await;
                answers.push(without_names(answer(request).await));
            }
            if answers.iter().any(|one| *one != answers[2]) {
                let statuses: Vec<u16> = answers.iter().map(|one| one.0).collect();
                differ.push(format!("{method} {} as {caller}: {statuses:?}", route.path));
            }
        }
    }
    net.close().await;
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// Status, place and body of an answer, without what names the thing that was asked for.
fn without_names(got: crate::client::Answer) -> (u16, String, String) {
    let clean = |text: &str| {
        let mut clean = String::new();
        for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let names = word.len() == 32 || ["private", "internal", "missing"].contains(&word);
            clean.push_str(if names { "NAME" } else { word });
            clean.push_str(&part[word.len()..]);
        }
        clean
    };
    let body = match serde_json::from_str::<Value>(&got.text()) {
        Ok(mut json) => {
            json.as_object_mut().map(|fields| fields.remove("instance"));
            json.to_string()
        }
        Err(_) => got.text(),
    };
    (got.status, clean(got.header("location")), clean(&body))
}

/// A field that is not the route's to set is refused by its name, not taken and not passed over.
#[tokio::test]
async fn no_write_takes_fields_that_are_not_its_own() {
    let mut net = Net::start().await;
    let administrator = CALLERS.len() - 1;
    let (mut asked, mut wrong) = (0, Vec::new());
    for route in net.routes().await {
        let method: Method = route.method.parse().expect("a method");
        for smuggled in [
            ("uploaded_by", json!("0198c0de000070008000000000000000")),
            ("published_ms", json!(1)),
            ("is_administrator", json!(true)),
        ] {
            let field = smuggled.0;
            let request = net.smuggled(administrator, &method, &route.path, smuggled).await;
            let Some(request) = request.filter(|_| !method.is_safe()) else { break };
            let got = answer(request).await;
            asked += 1;
            if got.status != 422 || !got.text().contains(field) {
                wrong.push(format!("{method} {} with {field}: {}", route.path, got.status));
            }
        }
    }
    net.close().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 60, "only {asked} requests were made");
}

/// A write that a browser sends from another site is refused, whoever is logged in.
#[tokio::test]
async fn no_route_takes_a_write_from_another_site() {
    let mut net = Net::start().await;
    let administrator = CALLERS.len() - 1;
    let cookie = net.cookie(administrator).await;
    let browser = Client::new(net.app.address(), None);
    let mut taken = Vec::new();
    for route in net.routes().await {
        let method: Method = route.method.parse().expect("a method");
        // What is the same for everybody needs no cookie; logging in takes JSON only, which a
        // browser asks about first.
        let open = [("POST", "/oai"), ("POST", "/api/session")];
        if method.is_safe() || open.contains(&(route.method, &route.path)) {
            continue;
        }
        let path = net.fill(&route.path, "public", &method).await;
        let request = browser
            .ask(method, &path)
            .header("cookie", &cookie)
            .header("origin", "https://elsewhere.example")
            .header("content-type", "application/x-www-form-urlencoded");
        let got = answer(request).await;
        if got.status != 403 {
            taken.push(format!("{} {}: {}", route.method, route.path, got.status));
        }
    }
    net.close().await;
    assert!(taken.is_empty(), "{}", taken.join("\n"));
}
