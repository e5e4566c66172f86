//! What a request is, as far as limits go.

use http::Method;

/// What a request is, as far as limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// How the program is; never refused.
    Health,
    /// Bytes that are there already: media, assets.
    Media,
    /// Uploads: their pieces, and questions how far they are.
    Upload,
    /// Searches and suggestions.
    Search,
    /// Attempts to log in.
    Login,
    /// Complaints of the public.
    Complaint,
    /// Other requests that change something.
    Write,
    /// Pages, and other reads.
    Page,
}

impl Kind {
    /// Of a request.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Self {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
        match first {
            "media" | "t" | "assets" | "favicon.svg" => return Self::Media,
            "healthz" | "readyz" | "metrics" => return Self::Health,
            _ => {}
        }
        // Its forms come by POST too, and change nothing.
        if first == "oai" {
            return Self::Page;
        }
        if path == "/api/uploads" || path.starts_with("/api/uploads/") {
            return Self::Upload;
        }
        if method == Method::POST && is_complaint(path) {
            return Self::Complaint;
        }
        if !method.is_safe() {
            let logs_in = matches!(path, "/api/session" | "/login") && method == Method::POST;
            return if logs_in || ["setup", "start", "join"].contains(&first) {
                Self::Login
            } else {
                Self::Write
            };
        }
        if path.starts_with("/login/with/") {
            return Self::Login;
        }
        match path {
            "/search" | "/api/search" | "/api/suggest" => Self::Search,
            _ => Self::Page,
        }
    }
}

/// Where complaints are sent: by programs, and by the form of a resource's page.
fn is_complaint(path: &str) -> bool {
    let form = path.strip_prefix("/resources/").and_then(|rest| rest.split_once('/'));
    path == "/api/complaints" || form.is_some_and(|(_, rest)| rest == "complaint")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        for (method, path, kind) in [
            (Method::GET, "/media/x/master.m3u8", Kind::Media),
            (Method::GET, "/t/x/media/x/original", Kind::Media),
            (Method::GET, "/healthz", Kind::Health),
            (Method::PATCH, "/api/uploads/x", Kind::Upload),
            (Method::POST, "/api/session", Kind::Login),
            (Method::POST, "/start/x", Kind::Login),
            (Method::POST, "/join/x", Kind::Login),
            (Method::GET, "/login", Kind::Page),
            (Method::GET, "/login/with/city", Kind::Login),
            (Method::DELETE, "/api/session", Kind::Write),
            (Method::GET, "/api/suggest", Kind::Search),
            (Method::POST, "/api/complaints", Kind::Complaint),
            (Method::POST, "/resources/x/complaint", Kind::Complaint),
            (Method::POST, "/api/complaints/2026-000001/answer", Kind::Write),
            (Method::GET, "/resources/x", Kind::Page),
            (Method::POST, "/api/search", Kind::Write),
            (Method::GET, "/", Kind::Page),
            (Method::POST, "/oai", Kind::Page),
            (Method::GET, "*", Kind::Page),
        ] {
            assert_eq!(Kind::of(&method, path), kind, "{method} {path}");
        }
    }
}
