//! Who may call a route at all. [`Routes`] takes no route without a policy, so that one which was
//! forgotten does not compile. What a caller may do with the very thing that is asked for, the
//! handler asks [`Caller`].

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::handler::Handler;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use http::request::Parts;
use utoipa::OpenApi as _;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::caller::Visitor;
use super::openapi;
use super::problem::ApiError;
use super::search::encode;
use crate::app::App;
use crate::catalogue::{Caller, RuleError};

/// Who may call a route at all.
pub(super) trait Policy: Send + Sync + 'static {
    /// As the table of routes names it.
    const NAME: &'static str;
    /// Whether nothing is asked before the handler.
    const OPEN: bool = false;

    /// Lets `caller` through to the handler.
    ///
    /// # Errors
    ///
    /// [`RuleError::Anonymous`] or [`RuleError::Forbidden`].
    fn admits(caller: &Caller) -> Result<(), RuleError>;
}

/// Anybody; what they see is theirs to see.
#[derive(Debug)]
pub(super) struct Anyone;

/// Who has logged in.
#[derive(Debug)]
pub(super) struct Person;

/// Who has some library to work in.
#[derive(Debug)]
pub(super) struct Worker;

/// Who looks after some library, organisation or people.
#[derive(Debug)]
pub(super) struct Administering;

/// Administrators of the net.
#[derive(Debug)]
pub(super) struct Administrator;

impl Policy for Anyone {
    const NAME: &'static str = "anyone";
    const OPEN: bool = true;

    fn admits(_: &Caller) -> Result<(), RuleError> {
        Ok(())
    }
}

impl Policy for Person {
    const NAME: &'static str = "person";

    fn admits(caller: &Caller) -> Result<(), RuleError> {
        caller.account().map(|_| ())
    }
}

impl Policy for Worker {
    const NAME: &'static str = "worker";

    fn admits(caller: &Caller) -> Result<(), RuleError> {
        caller.account()?;
        if caller.has_studio() { Ok(()) } else { Err(RuleError::Forbidden) }
    }
}

impl Policy for Administering {
    const NAME: &'static str = "administering";

    fn admits(caller: &Caller) -> Result<(), RuleError> {
        caller.account()?;
        if caller.administers() { Ok(()) } else { Err(RuleError::Forbidden) }
    }
}

impl Policy for Administrator {
    const NAME: &'static str = "administrator";

    fn admits(caller: &Caller) -> Result<(), RuleError> {
        caller.may_administer()
    }
}

/// A route with its policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// As the router knows it, such as `/api/resources/{id}`.
    pub path: String,
    /// Such as `GET`.
    pub method: &'static str,
    /// Who may call it, such as `worker`.
    pub policy: &'static str,
}

/// Routes of data, of pages and of files, each with its policy.
pub(super) struct Routes {
    app: App,
    data: OpenApiRouter<App>,
    pages: Router<App>,
    files: Router<App>,
    all: Vec<Route>,
}

impl Routes {
    /// None yet.
    pub(super) fn new(app: &App) -> Self {
        Self {
            app: app.clone(),
            data: OpenApiRouter::with_openapi(openapi::Document::openapi()),
            pages: Router::new(),
            files: Router::new(),
            all: Vec::new(),
        }
    }

    /// Adds operations on data, all of one path.
    pub(super) fn data<P: Policy>(mut self, _: P, operations: UtoipaMethodRouter<App>) -> Self {
        let (schemas, paths, methods) = operations;
        for (path, item) in &paths.paths {
            for (method, there) in [
                ("GET", item.get.is_some()),
                ("HEAD", item.head.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ] {
                if there {
                    self.note::<P>(path, method);
                }
            }
        }
        let methods = if P::OPEN {
            methods
        } else {
            methods.route_layer(middleware::from_fn_with_state(self.app.clone(), guard::<P>))
        };
        self.data = self.data.routes((schemas, paths, methods));
        self
    }

    /// Adds a page, which asks those who are nobody yet to log in.
    pub(super) fn page<P, H, T>(mut self, _: P, path: &str, handler: H) -> Self
    where
        P: Policy,
        H: Handler<T, App>,
        T: 'static,
    {
        self.note::<P>(path, "GET");
        let methods = if P::OPEN {
            get(handler)
        } else {
            let asks = middleware::from_fn_with_state(self.app.clone(), page_guard::<P>);
            get(handler).route_layer(asks)
        };
        self.pages = self.pages.route(path, methods);
        self
    }

    /// Adds what a page's form is sent to.
    pub(super) fn form<P, H, T>(mut self, _: P, path: &str, handler: H) -> Self
    where
        P: Policy,
        H: Handler<T, App>,
        T: 'static,
    {
        self.note::<P>(path, "POST");
        let methods = if P::OPEN {
            post(handler)
        } else {
            let asks = middleware::from_fn_with_state(self.app.clone(), guard::<P>);
            post(handler).route_layer(asks)
        };
        self.pages = self.pages.route(path, methods);
        self
    }

    /// Adds files, which are not compressed: what may be seen of them is asked for each.
    pub(super) fn files(mut self, path: &str, methods: MethodRouter<App>) -> Self {
        self.note::<Anyone>(path, "GET");
        self.files = self.files.route(path, methods);
        self
    }

    fn note<P: Policy>(&mut self, path: &str, method: &'static str) {
        self.all.push(Route { path: path.to_owned(), method, policy: P::NAME });
    }

    /// The routers of data, pages and files.
    pub(super) fn into_routers(self) -> (OpenApiRouter<App>, Router<App>, Router<App>) {
        (self.data, self.pages, self.files)
    }

    /// Each route, by path.
    pub(super) fn into_list(mut self) -> Vec<Route> {
        self.all.sort();
        self.all
    }
}

/// Asks the policy; the handler finds the visitor among the extensions.
async fn guard<P: Policy>(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    admit::<P>(&app, &mut parts).await?;
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// The same for a page: who is nobody yet logs in first, and then comes back.
async fn page_guard<P: Policy>(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    match admit::<P>(&app, &mut parts).await {
        Err(ApiError::Rule(RuleError::Anonymous)) => {
            let query = parts.uri.query().map(|query| encode(&format!("?{query}")));
            let back = format!("{}{}", parts.uri.path(), query.unwrap_or_default());
            Ok(Redirect::to(&format!("/login?next={back}")).into_response())
        }
        admitted => {
            admitted?;
            Ok(next.run(Request::from_parts(parts, body)).await)
        }
    }
}

async fn admit<P: Policy>(app: &App, parts: &mut Parts) -> Result<(), ApiError> {
    let visitor = Visitor::from_request_parts(parts, app).await?;
    P::admits(&visitor.caller)?;
    parts.extensions.insert(visitor);
    Ok(())
}
