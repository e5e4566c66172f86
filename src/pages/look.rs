//! The form by which the people of a library choose how its front page looks.

use maud::{Markup, html};

use super::{
    Shell,
    icon::{Icon, icon},
    layout::{Page, document},
    words::term_word,
};
use crate::catalogue::{Block, Colour, LICENCES, TOPICS};

/// What the form holds.
#[derive(Clone, Debug)]
pub struct LookView {
    /// The library's slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// It was saved.
    pub saved: bool,
    /// Why it was not.
    pub refusal: Option<String>,
    /// The colour.
    pub colour: Colour,
    /// What is told above everything else.
    pub notice: String,
    /// Images of the library that can stand for it.
    pub logos: Vec<LogoChoice>,
    /// Resources that can be shown first: those that are, then the newest others.
    pub featured: Vec<FeaturedChoice>,
    /// Ids or addresses of more of them, as typed.
    pub more_featured: String,
    /// What the front page shows, from the top.
    pub blocks: Vec<Block>,
    /// Licence of what is uploaded without one.
    pub licence: String,
    /// Topics of what is uploaded without any.
    pub topics: Vec<String>,
    /// What was withdrawn or failed is removed after so many days, as typed; empty: never.
    pub retention_days: String,
}

/// An image that can be the logo.
#[derive(Clone, Debug)]
pub struct LogoChoice {
    /// Its resource's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Address of its picture.
    pub src: String,
    /// It is the logo now.
    pub on: bool,
}

/// A resource that can be shown first.
#[derive(Clone, Debug)]
pub struct FeaturedChoice {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its place among those that are shown first, from 1.
    pub place: Option<usize>,
}

/// The form.
#[must_use]
pub fn look(shell: &Shell, view: &LookView) -> Markup {
    let title = shell.pick("布置首页", "Arrange the front page");
    let path = format!("/studio/libraries/{}", view.slug);
    let body = html! {
        div.wrap.look-page {
            header.page-head {
                p.crumbs { a href=(format!("/libraries/{}", view.slug)) { (view.name) } }
                h1 { (title) }
                p.lead { (shell.pick("保存后立即生效，谁改了什么都有记录。", "Counts at once; who changed what is on record.")) }
            }
            @if view.saved {
                p.notice.good role="status" {
                    (icon(Icon::Check)) (shell.pick("已保存。", "Saved."))
                    a href=(format!("/libraries/{}", view.slug)) { (shell.pick("看看效果", "View it")) }
                }
            }
            @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" { (refusal) } }
            form.form action=(path) method="post" {
                (shell.csrf_field())
                (looks(shell, view))
                (content(shell, view))
                (defaults(shell, view))
                p.form-end { button.button type="submit" { (shell.pick("保存", "Save")) } }
            }
        }
    };
    document(shell, &Page { colour: Some(view.colour), ..Page::plain(title, "studio", body) })
}

fn looks(shell: &Shell, view: &LookView) -> Markup {
    html! {
        section.card.form {
            h2 { (shell.pick("样子", "Look")) }
            fieldset.choices {
                legend { (shell.pick("颜色", "Colour")) }
                @for colour in Colour::ALL {
                    label.choice.swatch data-colour=(colour.as_str()) {
                        input type="radio" name="colour" value=(colour.as_str()) checked[colour == view.colour];
                        span.swatch-dot aria-hidden="true" {}
                        span { (colour_word(shell, colour)) }
                    }
                }
            }
            fieldset.choices {
                legend { (shell.pick("标志", "Logo")) }
                label.choice {
                    input type="radio" name="logo" value="" checked[view.logos.iter().all(|logo| !logo.on)];
                    span { (shell.pick("用名称的第一个字", "The first sign of the name")) }
                }
                @for logo in &view.logos {
                    label.choice.logo {
                        input type="radio" name="logo" value=(logo.id) checked[logo.on];
                        img src=(logo.src) alt="" width="56" height="56" loading="lazy";
                        span { (logo.title) }
                    }
                }
            }
            @if view.logos.is_empty() {
                p.hint { (shell.pick("想用图片作标志，先把图片上传到本库并发布。", "To use a picture, upload and publish it in this library first.")) }
            }
        }
    }
}

fn colour_word(shell: &Shell, colour: Colour) -> &str {
    match colour {
        Colour::Vermilion => shell.pick("朱砂", "Vermilion"),
        Colour::Ochre => shell.pick("赭石", "Ochre"),
        Colour::Pine => shell.pick("松绿", "Pine"),
        Colour::Sea => shell.pick("海青", "Sea"),
        Colour::Indigo => shell.pick("靛蓝", "Indigo"),
        Colour::Plum => shell.pick("梅紫", "Plum"),
        Colour::Slate => shell.pick("石板", "Slate"),
    }
}

fn content(shell: &Shell, view: &LookView) -> Markup {
    html! {
        section.card.form {
            h2 { (shell.pick("内容", "What is on it")) }
            div.field {
                label for="notice" { (shell.pick("公告（可留空）", "Notice (may be empty)")) }
                textarea id="notice" name="notice" rows="3" maxlength="500" { (view.notice) }
            }
            fieldset {
                legend { (shell.pick("推荐资源，最多十二项；数字小的排在前面", "Featured resources, at most twelve; small numbers come first")) }
                ul.featured-choices {
                    @for choice in &view.featured {
                        li {
                            label.choice {
                                input type="checkbox" name="featured" value=(choice.id) checked[choice.place.is_some()];
                                span { (choice.title) }
                            }
                            input.featured-place type="number" name=(format!("place-{}", choice.id)) min="1" max="12"
                                value=[choice.place] aria-label=(format!("{} {}", shell.pick("第几个：", "Place of"), choice.title));
                        }
                    }
                }
            }
            div.field {
                label for="more_featured" { (shell.pick("列表里没有的，写编号或网址，一行一个", "Others by id or address, one a line")) }
                textarea id="more_featured" name="more_featured" rows="2" spellcheck="false" { (view.more_featured) }
            }
            fieldset {
                legend { (shell.pick("从上到下显示什么", "What is shown, from the top")) }
                div.field-pair {
                    @for block in Block::ALL { (place_of(shell, view, block)) }
                }
            }
        }
    }
}

fn place_of(shell: &Shell, view: &LookView, block: Block) -> Markup {
    let name = format!("block-{}", block.as_str());
    let at = view.blocks.iter().position(|known| *known == block);
    let word = match block {
        Block::Featured => shell.pick("推荐资源", "Featured resources"),
        Block::Courses => shell.pick("课程（有了才显示）", "Courses, once there are any"),
        Block::Collections => shell.pick("专题（有了才显示）", "Collections, once there are any"),
        Block::Newest => shell.pick("全部资源，新的在前", "All resources, the newest first"),
    };
    html! {
        div.field {
            label for=(name) { (word) }
            select id=(name) name=(name) {
                option value="" selected[at.is_none()] { (shell.pick("不显示", "Not shown")) }
                @for place in 1..=Block::ALL.len() {
                    option value=(place) selected[at == Some(place - 1)] { (shell.pick("第", "Place ")) (place) (shell.pick("位", "")) }
                }
            }
        }
    }
}

fn defaults(shell: &Shell, view: &LookView) -> Markup {
    let listed = LICENCES.iter().any(|term| term.code == view.licence);
    html! {
        section.card.form {
            h2 { (shell.pick("上传时的默认值", "What uploads get")) }
            div.field {
                label for="licence" { (shell.pick("没有写许可的，用", "Licence of what has none")) }
                select id="licence" name="licence" {
                    option value="" selected[view.licence.is_empty()] { (shell.pick("未说明", "Not stated")) }
                    @for term in LICENCES {
                        option value=(term.code) selected[term.code == view.licence] { (term_word(LICENCES, term.code, shell.lang)) }
                    }
                    @if !view.licence.is_empty() && !listed { option value=(view.licence) selected { (view.licence) } }
                }
            }
            fieldset.choices {
                legend { (shell.pick("没有选主题的，用", "Topics of what has none")) }
                @for term in TOPICS {
                    label.choice {
                        input type="checkbox" name="topics" value=(term.code) checked[view.topics.iter().any(|code| code == term.code)];
                        span { (term_word(TOPICS, term.code, shell.lang)) }
                    }
                }
            }
            div.field {
                label for="retention_days" { (shell.pick("下架或处理失败的资源，多少天后清除", "Days after which what was withdrawn or failed is removed")) }
                input id="retention_days" name="retention_days" type="number" min="1" max="36500" value=(view.retention_days)
                    aria-describedby="retention-hint";
                p.hint id="retention-hint" { (shell.pick("留空：一直保留。清除后不能恢复。", "Empty: they are kept. What is removed cannot be brought back.")) }
            }
        }
    }
}
