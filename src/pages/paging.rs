//! Links to the other pages of a list.

use maud::{Markup, html};

use super::{
    Shell,
    icon::{Icon, icon},
};

/// Where in a list one is.
#[derive(Clone, Debug)]
pub struct Paging {
    /// The page shown, from 1.
    pub page: u32,
    /// The number of pages.
    pub pages: u32,
    /// Path and query of a page up to its number, such as `/search?q=x&page=`.
    pub href: String,
}

/// Links to the pages about the present one; nothing when there is only one.
pub(super) fn paging(shell: &Shell, at: &Paging) -> Markup {
    let link = |page: u32| format!("{}{page}", at.href);
    html! {
        @if at.pages > 1 {
            nav.paging aria-label=(shell.pick("分页", "Pages")) {
                @if at.page > 1 {
                    a.step rel="prev" href=(link(at.page - 1)) aria-label=(shell.pick("上一页", "Previous")) { (icon(Icon::Left)) span { (shell.pick("上一页", "Previous")) } }
                }
                ol {
                    @for page in shown(at.page, at.pages) {
                        @match page {
                            Some(page) if page == at.page => { li { a href=(link(page)) aria-current="page" { (page) } } }
                            Some(page) => { li { a href=(link(page)) { (page) } } }
                            None => { li.gap aria-hidden="true" { "…" } }
                        }
                    }
                }
                @if at.page < at.pages {
                    a.step rel="next" href=(link(at.page + 1)) aria-label=(shell.pick("下一页", "Next")) { span { (shell.pick("下一页", "Next")) } (icon(Icon::Right)) }
                }
            }
        }
    }
}

/// First, last and the neighbours of `page`; `None` stands for a gap.
fn shown(page: u32, pages: u32) -> Vec<Option<u32>> {
    let mut numbers: Vec<u32> =
        [1, pages].into_iter().chain(page.saturating_sub(1)..=page + 1).collect();
    numbers.retain(|n| (1..=pages).contains(n));
    numbers.sort_unstable();
    numbers.dedup();
    let mut list = Vec::new();
    for n in numbers {
        if let Some(Some(last)) = list.last().copied()
            && n > last + 1
        {
            list.push(None);
        }
        list.push(Some(n));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn the_ends_and_the_neighbours_are_shown() {
        assert_eq!(shown(1, 1), [Some(1)]);
        assert_eq!(shown(1, 3), [Some(1), Some(2), Some(3)]);
        assert_eq!(shown(5, 9), [Some(1), None, Some(4), Some(5), Some(6), None, Some(9)]);
    }
}
