//! The mark of local characteristic: where it comes from, who hands it down, who vouches for it.

use maud::{Markup, html};

use super::{
    ResourceView, Shell,
    icon::{Icon, icon},
    words::{rfc3339, term_word},
};
use crate::catalogue::{DIALECTS, HERITAGE, Level, LocalMark};

/// The badge with origin, bearer, dialect, heritage and vouchers; nothing where nothing is local.
pub(super) fn local_mark(shell: &Shell, view: &ResourceView) -> Markup {
    let Some(mark) = &view.particulars.local else { return html! {} };
    html! {
        section.local-mark data-vouched[!view.vouched.is_empty()] aria-labelledby="local-mark" {
            header {
                (icon(Icon::Star))
                h2 id="local-mark" { (shell.pick("地方特色", "Of this place")) }
            }
            (mark_parts(shell, mark))
            @if !view.vouched.is_empty() {
                h3 { (shell.pick("认证机构", "Vouched for by")) }
                ul.vouched {
                    @for one in &view.vouched {
                        li {
                            (icon(Icon::Check))
                            span {
                                strong { (one.organisation) }
                                span.level { (level_word(shell, one.level)) }
                                time datetime=(rfc3339(one.at_ms)) { (shell.lang.day(one.at_ms, &shell.zone)) }
                                @if !one.note.is_empty() { span.note { (one.note) } }
                            }
                        }
                    }
                }
            }
            @if let Some(href) = &view.vouch_href {
                p { a.button.quiet href=(href) { (shell.pick("认证", "Vouch for this")) } }
            }
        }
    }
}

/// Where it comes from, who hands it down, how it is spoken, on which list it stands.
pub(super) fn mark_parts(shell: &Shell, mark: &LocalMark) -> Markup {
    let dialect = [term_word(DIALECTS, &mark.dialect, shell.lang), mark.dialect_words.as_str()];
    let dialect: Vec<&str> = dialect.into_iter().filter(|text| !text.is_empty()).collect();
    let heritage = term_word(HERITAGE, &mark.heritage, shell.lang);
    html! {
        dl {
            (part(shell.pick("来自", "From"), &mark.origin))
            @if !mark.bearer.is_empty() { (part(shell.pick("传承人", "Handed down by"), &mark.bearer)) }
            @if !dialect.is_empty() { (part(shell.pick("方言", "Dialect"), &dialect.join(" · "))) }
            @if !heritage.is_empty() { (part(shell.pick("非遗", "Heritage"), heritage)) }
        }
    }
}

fn part(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// What a level is called.
pub(super) fn level_word(shell: &Shell, level: Level) -> &'static str {
    match level {
        Level::City => shell.pick("市级", "City"),
        Level::District => shell.pick("区县级", "District"),
        Level::Township => shell.pick("乡镇街道级", "Township"),
        Level::Community => shell.pick("村居社区级", "Community"),
    }
}
