//! The repositories whose records are shown here, for administrators.

use maud::{Markup, html};

use super::{
    Listed, Notice, Option2, Shell,
    admin::{Words, danger, frame, listed, top},
};

/// Where the forms are sent.
const ADDRESS: &str = "/admin/sources";

/// The repositories and a form for another.
#[derive(Clone, Debug)]
pub struct SourcesView {
    /// The list, but for its rows.
    pub list: Listed,
    /// The oldest first.
    pub sources: Vec<SourceRow>,
    /// Slug and name of the libraries that may show records.
    pub libraries: Vec<Option2>,
    /// What came of a form.
    pub notice: Notice,
}

/// A repository.
#[derive(Clone, Debug)]
pub struct SourceRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Base URL.
    pub url: String,
    /// Of this set only.
    pub set: Option<String>,
    /// Name of the library that shows its records.
    pub library: String,
    /// How many are here.
    pub records: u64,
    /// 0: only when asked.
    pub every_hours: i64,
    /// A harvest is under way.
    pub running: bool,
    /// RFC 3339.
    pub ended: Option<String>,
    /// RFC 3339.
    pub next: Option<String>,
    /// What went wrong.
    pub failure: Option<String>,
}

/// The page.
#[must_use]
pub fn sources(shell: &Shell, view: &SourcesView) -> Markup {
    let words = Words {
        find: shell.pick("名称、地址、集合或资源库", "Name, address, set or library"),
        unit: ("个来源", "source", "sources"),
        none: shell.pick("没有符合的来源", "No source matches"),
    };
    let rows =
        html! { ul.source-list { @for source in &view.sources { li { (row(shell, source)) } } } };
    let body = html! {
        p.lead { (shell.pick(
            "按 OAI-PMH 从其他资源库取来条目，放进同一个搜索；资源在原库打开，许可允许的可以复制进来。",
            "Records of other repositories, taken by OAI-PMH into the same search; they are opened at their home, or copied in where their licence allows it.")) }
        (listed(shell, &view.list, &words, &html! {}, &rows))
        section.card.after {
            h2 { (shell.pick("添加来源", "Add a source")) }
            (form(shell, view))
        }
    };
    frame(shell, shell.pick("来源库", "Sources"), &[top(shell)], &view.notice, &body)
}

fn row(shell: &Shell, source: &SourceRow) -> Markup {
    let time = |text: &str| text.replace('T', " ").replace('Z', "");
    let id = html! { input type="hidden" name="id" value=(source.id); };
    let button = |value: &str, label: &str| {
        html! {
            form.inline action=(ADDRESS) method="post" {
                (shell.csrf_field()) (id)
                button.button.quiet type="submit" name="do" value=(value) { (label) }
            }
        }
    };
    html! {
        article.card {
            h3 { (source.name) }
            p.source-url { (source.url) @if let Some(set) = &source.set { " · " (set) } }
            p {
                (shell.lang.count(source.records, "条", "record", "records")) " → " (source.library) " · "
                @if source.every_hours == 0 { (shell.pick("只在要求时", "only when asked")) }
                @else { (shell.pick("每", "every ")) (source.every_hours) (shell.pick(" 小时", " h")) }
                @if source.running { " · " (shell.pick("正在收割", "being harvested")) }
            }
            p {
                @if let Some(ended) = &source.ended { (shell.pick("上次完成（UTC）：", "Last done (UTC): ")) (time(ended)) " " }
                @if let Some(next) = &source.next { (shell.pick("下次（UTC）：", "Next (UTC): ")) (time(next)) }
            }
            @if let Some(failure) = &source.failure { p.notice.bad { (failure) } }
            div.source-forms { (button("run", shell.pick("现在收割", "Harvest now"))) (button("all", shell.pick("全部重取", "Take all anew"))) }
            (danger(shell, ADDRESS, &id, ("do", "remove"), shell.pick("移除来源和条目", "Remove source and records"),
                shell.pick("来源和它的全部条目会从这里消失，不能恢复；原库和已经复制进来的不受影响。", "The source and all its records go from here for good; its home, and what was copied in, is not touched.")))
        }
    }
}

fn form(shell: &Shell, view: &SourcesView) -> Markup {
    let field = |name: &str, label: &str, help: &str, required: bool| {
        html! {
            div.field {
                label for=(name) { (label) }
                p.hint id=(format!("{name}-help")) { (help) }
                input id=(name) name=(name) type="text" required[required] maxlength="1000" autocomplete="off"
                    aria-describedby=(format!("{name}-help"));
            }
        }
    };
    html! {
        form.form action=(ADDRESS) method="post" {
            (shell.csrf_field())
            (field("url", shell.pick("OAI-PMH 地址", "Address of its OAI-PMH"), "https://repository.example/oai", true))
            (field("name", shell.pick("名称", "Name"), shell.pick("显示为“来自…”；不填用主机名。", "Shown as “from …”; its host when left out."), false))
            (field("set", shell.pick("集合", "Set"), shell.pick("只取这个集合；不填取全部。", "Of this set only; all when left out."), false))
            div.field {
                label for="library" { (shell.pick("放进资源库", "Into the library")) }
                select id="library" name="library" {
                    @for (slug, name) in &view.libraries { option value=(slug) { (name) } }
                }
            }
            div.field {
                label for="prefix" { (shell.pick("格式", "Form")) }
                select id="prefix" name="prefix" {
                    option value="oai_dc" { "oai_dc" }
                    option value="lom" { "lom" }
                }
            }
            div.field {
                label for="every_hours" { (shell.pick("每隔几小时（0：只在要求时）", "Every so many hours (0: only when asked)")) }
                input id="every_hours" name="every_hours" type="number" min="0" max="8784" value="24";
            }
            div.form-end { button.button type="submit" name="do" value="add" { (shell.pick("添加", "Add")) } }
        }
    }
}
