//! What every page has: head, header, footer, language and theme.

use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    Assets, Lang,
    icon::{Icon, icon},
};
use crate::catalogue::Colour;

/// What a page knows about the request and the installation.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The language of the page.
    pub lang: Lang,
    /// From the cookie `theme`.
    pub theme: Theme,
    /// From the cookie `elder`: large type, strong contrast, few things on a page, read aloud.
    pub elder: bool,
    /// The name of the net, such as `日照社区教育资源网`.
    pub net_name: String,
    /// Who is signed in.
    pub visitor: Option<Visitor>,
    /// The value for hidden `csrf` fields of forms; empty when nobody is signed in.
    pub csrf: String,
    /// Path and query of this page, such as `/search?q=%E7%BC%96`.
    pub path: String,
    /// Scheme and authority for absolute links, such as `https://learn.example`; no slash at the end.
    pub origin: String,
    /// The zone in which days are told.
    pub zone: TimeZone,
    /// Hashed names of scripts and styles.
    pub assets: Assets,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The name shown in the header.
    pub name: String,
    /// May upload, so the studio is linked.
    pub may_author: bool,
    /// Reads what is handed in somewhere, so the list of it is linked.
    pub may_review: bool,
    /// Looks after the installation, so its pages are linked.
    pub may_administer: bool,
    /// Looks after people, organisations or libraries somewhere.
    pub administers: bool,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// Reads the cookie `theme`; anything but `light` and `dark` is [`Theme::System`].
    #[must_use]
    pub fn from_cookie(value: &str) -> Self {
        match value {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

impl Shell {
    /// The Chinese or the English text.
    #[must_use]
    pub fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.lang.pick(zh, en)
    }

    /// This page's path with `lang` set to `lang`, for the language link.
    fn path_in(&self, lang: Lang) -> String {
        self.path_with("lang", lang.code())
    }

    /// This page's path with `name` set to `value` in its query.
    fn path_with(&self, name: &str, value: &str) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let is_it = |pair: &str| pair.split('=').next() == Some(name);
        let mut kept: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty() && !is_it(pair))
            .map(str::to_owned)
            .collect();
        kept.push(format!("{name}={value}"));
        format!("{path}?{}", kept.join("&"))
    }

    /// The hidden field that proves a form was rendered for this visitor.
    pub(super) fn csrf_field(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.csrf); }
    }
}

/// One page before the layout is put around it.
pub(super) struct Page<'a> {
    pub title: &'a str,
    pub description: Option<&'a str>,
    /// A class of `main`, which the stylesheet uses.
    pub class: &'static str,
    /// What the search box in the header holds; `None` leaves the box out.
    pub search: Option<&'a str>,
    /// Fields that the search box in the header keeps: name and value.
    pub kept: &'a [(String, String)],
    /// Path of the canonical address.
    pub canonical: Option<&'a str>,
    /// Path or address of a picture for previews.
    pub picture: Option<&'a str>,
    /// schema.org data, as JSON.
    pub json_ld: Option<String>,
    /// What else stands in the head.
    pub head: Markup,
    /// The colour that a library chose.
    pub colour: Option<Colour>,
    pub styles: Vec<&'a str>,
    pub scripts: Vec<&'a str>,
    pub body: Markup,
}

impl<'a> Page<'a> {
    /// A page without anything special.
    pub(super) fn plain(title: &'a str, class: &'static str, body: Markup) -> Self {
        Self {
            title,
            description: None,
            class,
            search: Some(""),
            kept: &[],
            canonical: None,
            picture: None,
            json_ld: None,
            head: html! {},
            colour: None,
            styles: Vec::new(),
            scripts: Vec::new(),
            body,
        }
    }
}

/// The whole document.
pub(super) fn document(shell: &Shell, page: &Page<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(shell.lang.tag()) data-theme=[shell.theme.attribute()]
            data-elder[shell.elder] data-colour=[page.colour.filter(|_| !shell.elder).map(Colour::as_str)] {
            (head(shell, page))
            body {
                a.skip href="#main" { (shell.pick("跳到正文", "Skip to content")) }
                (header(shell, page))
                main id="main" class=(page.class) tabindex="-1" { (page.body) }
                (footer(shell))
                @if shell.elder { (aloud(shell)) }
            }
        }
    }
}

fn head(shell: &Shell, page: &Page<'_>) -> Markup {
    let absolute = |path: &str| {
        if path.starts_with('/') { format!("{}{path}", shell.origin) } else { path.to_owned() }
    };
    let title = if page.title == shell.net_name {
        page.title.to_owned()
    } else {
        format!("{} · {}", page.title, shell.net_name)
    };
    html! {
        head {
            meta charset="utf-8";
            title { (title) }
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="theme-color" content="#f7f4ee" media="(prefers-color-scheme: light)";
            meta name="theme-color" content="#14181b" media="(prefers-color-scheme: dark)";
            link rel="icon" href=(shell.assets.favicon) type="image/svg+xml";
            @if let Some(description) = page.description {
                meta name="description" content=(description);
                meta property="og:description" content=(description);
            }
            meta property="og:title" content=(page.title);
            meta property="og:site_name" content=(shell.net_name);
            @if let Some(path) = page.canonical {
                link rel="canonical" href=(absolute(path));
                meta property="og:url" content=(absolute(path));
            }
            @if let Some(picture) = page.picture {
                meta property="og:image" content=(absolute(picture));
            }
            (page.head)
            link rel="stylesheet" href=(shell.assets.css);
            @for style in &page.styles { link rel="stylesheet" href=(style); }
            script type="module" src=(shell.assets.app) {}
            @for script in &page.scripts { script type="module" src=(script) {} }
            @if let Some(json) = &page.json_ld {
                script type="application/ld+json" { (PreEscaped(script_safe(json))) }
            }
        }
    }
}

/// JSON that cannot end the script element it stands in.
fn script_safe(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn header(shell: &Shell, page: &Page<'_>) -> Markup {
    html! {
        header.top {
            div.top-row {
                a.brand href="/" {
                    span.seal aria-hidden="true" { "库" }
                    span.brand-name { (shell.net_name) }
                }
                @if let Some(text) = page.search {
                    div.top-search { (search_form(shell, text, "q", page.kept)) }
                }
                nav.top-nav aria-label=(shell.pick("主导航", "Main")) {
                    a href="/libraries" { (shell.pick("资源库", "Libraries")) }
                    @if shell.visitor.as_ref().is_some_and(|visitor| visitor.may_author) {
                        a href="/studio" { (shell.pick("工作室", "Studio")) }
                    }
                    @if shell.visitor.as_ref().is_some_and(|visitor| visitor.may_review) {
                        a href="/review" { (shell.pick("审核", "Review")) }
                    }
                    (account(shell))
                    (elder_switch(shell))
                    (language_link(shell))
                    button.icon-button type="button" data-waits data-theme-switch
                        aria-label=(shell.pick("切换深色或浅色", "Switch between dark and light")) {
                        span.for-light { (icon(Icon::Moon)) }
                        span.for-dark { (icon(Icon::Sun)) }
                    }
                }
            }
        }
    }
}

/// The form that searches; `id` must be unique in the page, `kept` are filters to stay in force.
pub(super) fn search_form(
    shell: &Shell,
    text: &str,
    id: &str,
    kept: &[(String, String)],
) -> Markup {
    html! {
        form.search action="/search" method="get" role="search" {
            label.unseen for=(id) { (shell.pick("搜索", "Search")) }
            input id=(id) type="search" name="q" value=(text) maxlength="1000" autocomplete="off"
                enterkeyhint="search" spellcheck="false" data-suggest
                placeholder=(shell.pick("搜课程、字幕里的一句话、文档里的一页", "Search titles, spoken words, pages"));
            @for (name, value) in kept { input type="hidden" name=(name) value=(value); }
            button type="submit" aria-label=(shell.pick("搜索", "Search")) {
                (icon(Icon::Search))
                span { (shell.pick("搜索", "Search")) }
            }
        }
    }
}

fn language_link(shell: &Shell) -> Markup {
    let (other, name, said) = match shell.lang {
        Lang::Zh => (Lang::En, "EN", "English"),
        Lang::En => (Lang::Zh, "中", "中文"),
    };
    html! {
        a.language href=(shell.path_in(other)) hreflang=(other.tag()) lang=(other.tag()) rel="nofollow"
            aria-label=(format!("{name} {said}")) { (name) }
    }
}

/// Leads to the same page in the other mode; the answer keeps it in a cookie.
fn elder_switch(shell: &Shell) -> Markup {
    let (value, word, short) = if shell.elder {
        ("0", shell.pick("标准模式", "Standard"), shell.pick("标准", "Standard"))
    } else {
        ("1", shell.pick("长辈模式", "Large"), shell.pick("长辈", "Large"))
    };
    html! {
        a.elder-switch href=(shell.path_with("elder", value)) rel="nofollow" aria-label=(word)
            title=(shell.pick("大字、高对比、可朗读的简洁页面", "Large type, strong contrast, read aloud")) {
            (icon(if shell.elder { Icon::Left } else { Icon::Letters }))
            span.long { (word) }
            span.short { (short) }
        }
    }
}

/// Reads the page aloud; the script shows it where the browser has a voice.
fn aloud(shell: &Shell) -> Markup {
    html! {
        button.aloud type="button" hidden data-aloud
            data-stop=(shell.pick("停止朗读", "Stop reading")) {
            (icon(Icon::Sound))
            span { (shell.pick("朗读本页", "Read aloud")) }
        }
    }
}

fn account(shell: &Shell) -> Markup {
    let Some(visitor) = &shell.visitor else {
        return html! {
            a href=(login_path(&shell.path)) rel="nofollow" { (shell.pick("登录", "Sign in")) }
        };
    };
    html! {
        details.menu data-menu {
            summary aria-label=(format!("{}: {}", shell.pick("账号", "Account"), visitor.name)) {
                (icon(Icon::User))
                span.account-name { (visitor.name) }
            }
            div.menu-panel {
                p.menu-who { (visitor.name) }
                a.menu-link href="/me" { (shell.pick("我的账号", "My account")) }
                @if visitor.administers {
                    a.menu-link href="/admin" { (shell.pick("管理", "Administration")) }
                }
                form action="/logout" method="post" {
                    (shell.csrf_field())
                    button type="submit" { (shell.pick("退出登录", "Sign out")) }
                }
            }
        }
    }
}

/// `/login?next=...` with the path percent-encoded.
fn login_path(path: &str) -> String {
    let mut encoded = String::from("/login?next=");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn footer(shell: &Shell) -> Markup {
    html! {
        footer.bottom {
            div.bottom-row {
                p { (shell.net_name) }
                nav aria-label=(shell.pick("页脚", "Footer")) {
                    a href="/libraries" { (shell.pick("全部资源库", "All libraries")) }
                    a href="/search" { (shell.pick("全部资源", "All resources")) }
                    a href="/api/docs" { (shell.pick("开放接口", "Open API")) }
                    @if shell.visitor.as_ref().is_some_and(|visitor| visitor.may_administer) {
                        a href="/admin/duplicates" { (shell.pick("重复资源", "Duplicates")) }
                        a href="/admin/search" { (shell.pick("搜索词典", "Words of the search")) }
                        a href="/admin/sources" { (shell.pick("来源库", "Sources")) }
                    }
                    @for lang in [Lang::Zh, Lang::En] {
                        @if lang != shell.lang {
                            a href=(shell.path_in(lang)) hreflang=(lang.tag()) lang=(lang.tag()) rel="nofollow" {
                                (lang.pick("中文", "English"))
                            }
                        }
                    }
                }
                p.colophon { (shell.pick("由多库 duoku 提供", "Served by duoku 多库")) }
            }
        }
    }
}
