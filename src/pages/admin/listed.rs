//! What every list has about its rows: the search, how many there are, the table, the other pages.

use maud::{Markup, html};

use super::super::{Paging, Shell, paging::paging};
use super::field;

/// A list, but for its rows.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What is looked for.
    pub q: String,
    /// How many match.
    pub total: u64,
    /// Which page it is.
    pub paging: Paging,
    /// Where all that match are as CSV.
    pub export: String,
    /// Path of the page.
    pub path: &'static str,
}

impl Default for Listed {
    fn default() -> Self {
        let paging = Paging { page: 1, pages: 1, href: String::new() };
        Self { q: String::new(), total: 0, paging, export: String::new(), path: "" }
    }
}

/// The words of a list.
pub(in crate::pages) struct Words<'a> {
    /// What can be looked for.
    pub(in crate::pages) find: &'a str,
    /// What a row is: the Chinese measure word, one and many in English.
    pub(in crate::pages) unit: (&'a str, &'a str, &'a str),
    /// What is said when nothing matches.
    pub(in crate::pages) none: &'a str,
}

/// A list: `filters` are fields beside the search, `rows` what was found.
pub(in crate::pages) fn listed(
    shell: &Shell,
    list: &Listed,
    words: &Words<'_>,
    filters: &Markup,
    rows: &Markup,
) -> Markup {
    let (measure, one, many) = words.unit;
    html! {
        form.filters action=(list.path) method="get" role="search" {
            (field("q", "q", words.find, &list.q, ""))
            (filters)
            button.button type="submit" { (shell.pick("查找", "Find")) }
        }
        div.list-head {
            p.number { (shell.lang.count(list.total, measure, one, many)) }
            a.text-button href=(list.export) download="" { (shell.pick("导出表格（CSV）", "Export (CSV)")) }
        }
        @if list.total == 0 { section.empty { h2 { (words.none) } } } @else { (rows) }
        (paging(shell, &list.paging))
    }
}
