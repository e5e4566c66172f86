//! The full form's groups: what else is known of a resource.

use maud::{Markup, html};

use super::{
    Shell,
    studio_form::{EditView, choice, field, refusal, select},
    words::term_word,
};
use crate::catalogue::{DIALECTS, DIFFICULTIES, EVIDENCE, HERITAGE, LocalMark, ROLES};

/// Rows for contributors beside those that there are.
const MORE_ROWS: usize = 2;

/// Every group, folded while there is nothing in it.
pub(super) fn groups(shell: &Shell, view: &EditView) -> Markup {
    html! {
        input type="hidden" name="particulars" value="1";
        (content(shell, view))
        (people(shell, view))
        (rights(shell, view))
        (local(shell, view))
    }
}

fn group(view: &EditView, title: &str, has: bool, fields: &[&str], body: &Markup) -> Markup {
    let refused = fields.iter().any(|field| view.refusals.iter().any(|(name, _)| name == field));
    html! {
        details.group open[has || refused] {
            summary { (title) }
            div.form { (body) }
        }
    }
}

fn content(shell: &Shell, view: &EditView) -> Markup {
    let known = &view.particulars;
    let has = !known.keywords.is_empty()
        || !known.place.is_empty()
        || !known.place_code.is_empty()
        || !known.difficulty.is_empty()
        || known.learning_minutes.is_some();
    let body = html! {
        (text(shell, view, "keywords", ("关键词（用顿号或逗号分开）", "Keywords, with commas between"), &known.keywords.join("、"), 2_000))
        div.field-pair {
            (text(shell, view, "place", ("讲的是哪里", "Place that it is about"), &known.place, 200))
            (field(view, "place_code", shell.pick("行政区划代码", "Division code"), &|id, refusal| html! {
                input id=(id) name="place_code" value=(known.place_code) inputmode="numeric" maxlength="12"
                    list="division-codes" aria-invalid=[refusal.map(|_| "true")] aria-describedby=[refusal];
                datalist id="division-codes" {
                    @for (code, name) in &view.divisions { option value=(code) { (name) } }
                }
            }))
        }
        div.field-pair {
            (field(view, "difficulty", shell.pick("难度", "Difficulty"), &|id, refusal| select(shell, id, "difficulty", DIFFICULTIES, &known.difficulty, refusal)))
            (field(view, "learning_minutes", shell.pick("学习时长（分钟）", "Learning time, minutes"), &|id, refusal| html! {
                input id=(id) name="learning_minutes" type="number" min="1" max="60000"
                    value=(known.learning_minutes.map(|minutes| minutes.to_string()).unwrap_or_default())
                    aria-invalid=[refusal.map(|_| "true")] aria-describedby=[refusal];
            }))
        }
    };
    let fields = ["keywords", "place", "place_code", "difficulty", "learning_minutes"];
    group(view, shell.pick("内容", "Contents"), has, &fields, &body)
}

fn people(shell: &Shell, view: &EditView) -> Markup {
    let known = &view.particulars;
    let has =
        !known.contributors.is_empty() || !known.publisher.is_empty() || !known.made.is_empty();
    let rows = known.contributors.iter().map(|one| (one.role.as_str(), one.name.as_str()));
    let rows: Vec<(&str, &str)> = rows.chain([("", ""); MORE_ROWS]).collect();
    let body = html! {
        fieldset.people {
            legend { (shell.pick("参与者", "Contributors")) }
            @for (at, (role, name)) in rows.iter().enumerate() {
                div.person {
                    select name="contributor_role" aria-label=(format!("{} {}", shell.pick("角色", "Role"), at + 1)) {
                        @for term in ROLES {
                            option value=(term.code) selected[term.code == *role] { (term_word(ROLES, term.code, shell.lang)) }
                        }
                    }
                    input name="contributor_name" value=(name) maxlength="200" autocomplete="off"
                        aria-label=(format!("{} {}", shell.pick("姓名", "Name"), at + 1))
                        placeholder=(shell.pick("姓名或单位", "Name"));
                }
            }
            (refusal(view, "contributors"))
            p.hint { (shell.pick("保存后会再多出两行；清空姓名就删掉一行。", "Two more rows come after saving; an empty name removes one.")) }
        }
        div.field-pair {
            (text(shell, view, "publisher", ("出版者（不填就是本资源库）", "Publisher (else this library)"), &known.publisher, 200))
            (field(view, "made", shell.pick("制作时间", "Made"), &|id, refusal| html! {
                input id=(id) name="made" value=(known.made) maxlength="10" placeholder="2019 / 2019-05 / 2019-05-01"
                    aria-invalid=[refusal.map(|_| "true")] aria-describedby=[refusal];
            }))
        }
    };
    group(
        view,
        shell.pick("谁做的", "Who made it"),
        has,
        &["contributors", "publisher", "made"],
        &body,
    )
}

fn rights(shell: &Shell, view: &EditView) -> Markup {
    let known = &view.particulars;
    let has = [
        &known.rights_holder,
        &known.evidence,
        &known.evidence_words,
        &known.evidence_paper,
        &known.source_url,
    ];
    let has = has.iter().any(|text| !text.is_empty());
    let body = html! {
        div.field-pair {
            (text(shell, view, "rights_holder", ("权利人", "Rights holder"), &known.rights_holder, 200))
            (field(view, "evidence", shell.pick("权利依据", "Why it may be shown"), &|id, refusal| select(shell, id, "evidence", EVIDENCE, &known.evidence, refusal)))
        }
        (field(view, "evidence_words", shell.pick("依据说明（公开）", "More about that (public)"), &|id, refusal| html! {
            textarea id=(id) name="evidence_words" rows="2" maxlength="2000" aria-invalid=[refusal.map(|_| "true")] aria-describedby=[refusal] { (known.evidence_words) }
        }))
        (text(shell, view, "evidence_paper", ("凭证存放处（只有编辑和审核的人能看到）", "Where the paper lies (only for those who edit and review)"), &known.evidence_paper, 200))
        (field(view, "source_url", shell.pick("根据什么做的：来源网址", "Based on: address"), &|id, refusal| html! {
            input id=(id) name="source_url" type="url" value=(known.source_url) maxlength="2000" placeholder="https://"
                aria-invalid=[refusal.map(|_| "true")] aria-describedby=[refusal];
        }))
    };
    let fields = ["rights_holder", "evidence", "evidence_words", "evidence_paper", "source_url"];
    group(view, shell.pick("权利", "Rights"), has, &fields, &body)
}

fn local(shell: &Shell, view: &EditView) -> Markup {
    let mark = view.particulars.local.clone().unwrap_or_default();
    let has = view.particulars.local.is_some();
    let body = html! {
        (choice("local", "yes", has, shell.pick("有地方特色", "It is local")))
        p.hint { (shell.pick("勾上以后填“来自哪里”。改动这一组，已有的认证会失效，要请机构重新认证。", "Then say where it comes from. Changing this group ends vouchers: organisations have to vouch again.")) }
        div.field-pair {
            (text(shell, view, "local.origin", ("来自哪里", "Where it comes from"), &mark.origin, 200))
            (text(shell, view, "local.bearer", ("传承人或群体", "Who hands it down"), &mark.bearer, 200))
        }
        div.field-pair {
            (field(view, "local.dialect", shell.pick("方言", "Dialect"), &|id, refusal| select(shell, id, "local.dialect", DIALECTS, &mark.dialect, refusal)))
            (text(shell, view, "local.dialect_words", ("方言说明", "Dialect in words"), &mark.dialect_words, 200))
        }
        (field(view, "local.heritage", shell.pick("非遗级别", "Level of heritage"), &|id, refusal| select(shell, id, "local.heritage", HERITAGE, &mark.heritage, refusal)))
    };
    let fields =
        ["local.origin", "local.bearer", "local.dialect", "local.dialect_words", "local.heritage"];
    let title = shell.pick("地方特色", "Local characteristic");
    group(view, title, has || mark != LocalMark::default(), &fields, &body)
}

fn text(
    shell: &Shell,
    view: &EditView,
    name: &str,
    (zh, en): (&str, &str),
    value: &str,
    most: u32,
) -> Markup {
    field(view, name, shell.pick(zh, en), &|id, refusal| {
        html! {
            input id=(id) name=(name) value=(value) maxlength=(most) aria-invalid=[refusal.map(|_| "true")] aria-describedby=[refusal];
        }
    })
}
