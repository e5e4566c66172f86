//! A provider that lies: what it answers must let nobody in.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{KeyInit as _, Mac as _};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::elsewhere::{Browser, SECRET, parameter, server_with, told};

/// What is wrong with what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twist {
    Nothing,
    OtherNonce,
    NoNonce,
    OtherKey,
    UnknownKey,
    NoSignature,
    SharedSecret,
    PublicKeyAsSecret,
    OtherIssuer,
    OtherAudience,
    MoreAudiences,
    OtherParty,
    NoExpiry,
    Expired,
    FromTomorrow,
    Old,
    Critical,
    NoToken,
    NoJson,
    Redirect,
    Endless,
    NoSubject,
    LongSubject,
    Broken,
}

struct Liar {
    issuer: String,
    key: CoreEdDsaPrivateSigningKey,
    other: CoreEdDsaPrivateSigningKey,
    twist: Mutex<Twist>,
    nonce: Mutex<String>,
}

fn key(id: &str) -> CoreEdDsaPrivateSigningKey {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let id = JsonWebKeyId::new(id.to_owned());
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pair.serialize_pem(), Some(id)).expect("a key")
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64
}

impl Liar {
    fn sign(&self, header: &Value, claims: &Value, key: &CoreEdDsaPrivateSigningKey) -> String {
        let text = format!("{}.{}", part(header), part(claims));
        let signature = key.sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes()).expect("signed");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn token(&self, twist: Twist) -> String {
        let now = now_s();
        let mut claims = json!({
            "iss": self.issuer, "sub": "7", "aud": "duoku", "iat": now, "exp": now + 300,
            "nonce": *self.nonce.lock().expect("whole"), "preferred_username": "lin", "name": "林",
        });
        let mut header = json!({ "alg": "EdDSA", "kid": "one", "typ": "JWT" });
        match twist {
            Twist::OtherNonce => claims["nonce"] = json!("other"),
            Twist::NoNonce => drop(claims.as_object_mut().expect("an object").remove("nonce")),
            Twist::UnknownKey => header["kid"] = json!("two"),
            Twist::OtherIssuer => claims["iss"] = json!("https://id.example.cn"),
            Twist::OtherAudience => claims["aud"] = json!("another"),
            Twist::MoreAudiences => claims["aud"] = json!(["duoku", "another"]),
            Twist::OtherParty => claims["azp"] = json!("another"),
            Twist::NoExpiry => drop(claims.as_object_mut().expect("an object").remove("exp")),
            Twist::Expired => claims["exp"] = json!(now - 120),
            Twist::FromTomorrow => claims["iat"] = json!(now + 86_400),
            Twist::Old => claims["iat"] = json!(now - 86_400),
            Twist::Critical => header["crit"] = json!(["x"]),
            Twist::NoSubject => claims["sub"] = json!(""),
            Twist::LongSubject => claims["sub"] = json!("x".repeat(300)),
            _ => {}
        }
        let secret = match twist {
            Twist::SharedSecret => SECRET.as_bytes().to_vec(),
            Twist::PublicKeyAsSecret => self.keys().to_string().into_bytes(),
            Twist::NoSignature => {
                return format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
            }
            Twist::Broken => return "x.y".into(),
            Twist::OtherKey => return self.sign(&header, &claims, &self.other),
            _ => return self.sign(&header, &claims, &self.key),
        };
        header["alg"] = json!("HS256");
        let text = format!("{}.{}", part(&header), part(&claims));
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&secret).expect("any length");
        mac.update(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    fn keys(&self) -> Value {
        json!({ "keys": [self.key.as_verification_key()] })
    }
}

async fn metadata(State(liar): State<Arc<Liar>>) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", liar.issuer);
    Json(json!({
        "issuer": liar.issuer,
        "authorization_endpoint": at("auth"),
        "token_endpoint": at("token"),
        "jwks_uri": at("jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["none", "HS256", "EdDSA"],
    }))
}

async fn jwks(State(liar): State<Arc<Liar>>) -> Json<Value> {
    Json(liar.keys())
}

async fn token(State(liar): State<Arc<Liar>>) -> Response {
    let twist = *liar.twist.lock().expect("whole");
    let mut body =
        json!({ "access_token": "x", "token_type": "Bearer", "id_token": liar.token(twist) });
    match twist {
        Twist::NoToken => drop(body.as_object_mut().expect("an object").remove("id_token")),
        Twist::NoJson => return "<html>".into_response(),
        Twist::Redirect => return Redirect::temporary("/elsewhere").into_response(),
        Twist::Endless => body["more"] = json!("x".repeat(3_000_000)),
        _ => {}
    }
    Json(body).into_response()
}

/// The right answer, where nobody may be sent.
async fn elsewhere(State(liar): State<Arc<Liar>>) -> Json<Value> {
    Json(
        json!({ "access_token": "x", "token_type": "Bearer", "id_token": liar.token(Twist::Nothing) }),
    )
}

async fn lie() -> (Arc<Liar>, TestApp, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("bound"));
    let (twist, nonce) = (Mutex::new(Twist::Nothing), Mutex::default());
    let liar = Arc::new(Liar { issuer, key: key("one"), other: key("one"), twist, nonce });
    let routes = Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/jwks", get(jwks))
        .route("/token", post(token))
        .route("/elsewhere", post(elsewhere).get(elsewhere))
        .with_state(Arc::clone(&liar));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let (app, site) = server_with("city", &liar.issuer, "accounts = \"create\"");
    (liar, app, site)
}

#[tokio::test]
async fn a_provider_that_lies_lets_nobody_in() {
    let (liar, app, site) = lie().await;
    for (twist, code) in [
        (Twist::Nothing, ""),
        (Twist::OtherNonce, "identity_token"),
        (Twist::NoNonce, "identity_token"),
        (Twist::OtherKey, "identity_token"),
        (Twist::UnknownKey, "identity_token"),
        (Twist::NoSignature, "identity_token"),
        (Twist::SharedSecret, "identity_token"),
        (Twist::PublicKeyAsSecret, "identity_token"),
        (Twist::OtherIssuer, "identity_token"),
        (Twist::OtherAudience, "identity_token"),
        (Twist::MoreAudiences, "identity_token"),
        (Twist::OtherParty, "identity_token"),
        (Twist::Expired, "identity_clock"),
        (Twist::FromTomorrow, "identity_clock"),
        (Twist::Old, "identity_clock"),
        (Twist::Critical, "identity_token"),
        (Twist::NoToken, "identity_token"),
        (Twist::NoSubject, "identity_token"),
        (Twist::LongSubject, "identity_token"),
        (Twist::NoExpiry, "identity_down"),
        (Twist::NoJson, "identity_down"),
        (Twist::Redirect, "identity_down"),
        (Twist::Endless, "identity_down"),
        (Twist::Broken, "identity_down"),
    ] {
        let browser = Browser::new(&site);
        let url = browser.begin("/login/with/city").await;
        *liar.nonce.lock().expect("whole") = parameter(&url, "nonce");
        *liar.twist.lock().expect("whole") = twist;
        let state = parameter(&url, "state");
        let came = browser.get(&format!("/login/with/city/done?code=x&state={state}")).await;
        if code.is_empty() {
            came.expect(303);
            assert_eq!(browser.name().await, "lin");
            continue;
        }
        let status = if code == "identity_down" { 503 } else { 422 };
        assert_eq!(came.status, status, "{twist:?}");
        assert!(came.text().contains(&told(code)), "{twist:?} is not {code}");
        assert_eq!(browser.name().await, "", "{twist:?}");
    }
    assert!(!app.logged().contains(SECRET), "secrets are not logged");
}

#[tokio::test]
async fn only_a_token_of_a_logout_ends_sessions() {
    let (liar, _app, site) = lie().await;
    let browser = Browser::new(&site);
    let url = browser.begin("/login/with/city").await;
    *liar.nonce.lock().expect("whole") = parameter(&url, "nonce");
    let state = parameter(&url, "state");
    browser.get(&format!("/login/with/city/done?code=x&state={state}")).await.expect(303);
    let now = now_s();
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let good = json!({
        "iss": liar.issuer, "sub": "7", "aud": "duoku", "iat": now, "exp": now + 120, "jti": "1",
        "events": event,
    });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let header = json!({ "alg": "EdDSA", "kid": "one", "typ": "logout+jwt" });
    let send = async |token: String| {
        let other = Browser::new(&site);
        other.post("/login/with/city/logout", &[("logout_token", &token)]).await.status
    };
    for claims in [
        with("nonce", json!("x")),
        with("events", json!({})),
        with("events", json!("x")),
        with("aud", json!("another")),
        with("iss", json!("https://id.example.cn")),
        with("iat", json!(now - 86_400)),
        with("exp", json!(now - 120)),
    ] {
        assert_eq!(send(liar.sign(&header, &claims, &liar.key)).await, 400, "{claims}");
    }
    assert_eq!(send(liar.sign(&header, &good, &liar.other)).await, 400, "another key");
    assert_eq!(send(liar.token(Twist::Nothing)).await, 400, "the token of a login");
    assert_eq!(browser.name().await, "lin");
    // Of somebody else, or of another session there: nothing ends.
    assert_eq!(send(liar.sign(&header, &with("sub", json!("8")), &liar.key)).await, 200);
    assert_eq!(send(liar.sign(&header, &with("sid", json!("s")), &liar.key)).await, 200);
    assert_eq!(browser.name().await, "lin");
    assert_eq!(send(liar.sign(&header, &good, &liar.key)).await, 200);
    assert_eq!(browser.name().await, "");
    assert_eq!(send(liar.sign(&header, &good, &liar.key)).await, 200, "once more changes nothing");
}
