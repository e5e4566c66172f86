//! The page of a video or sound in a cartridge: a player that fetches from where the course is.

use maud::{DOCTYPE, html};

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
}

/// What a page of a cartridge plays; every address is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    /// Of the lesson.
    pub title: String,
    /// Moving pictures or sound.
    pub medium: Medium,
    /// BCP 47 of the page's words.
    pub language: String,
    /// Address and media type of what can be played, the most common first.
    pub sources: Vec<(String, String)>,
    /// A picture.
    pub poster: Option<String>,
    /// Address, language and name of captions.
    pub captions: Vec<(String, String, String)>,
    /// The lesson's own page.
    pub url: String,
    /// Whom to thank; may be empty.
    pub thanks: String,
    /// What the link to the lesson's page says.
    pub link: String,
}

/// A page of HTML that plays `player`, without scripts or styles of others.
#[must_use]
pub fn page(player: &Player) -> String {
    let parts = html! {
        @for (src, media_type) in &player.sources { source src=(src) type=(media_type); }
        @for (number, (src, language, label)) in player.captions.iter().enumerate() {
            track kind="subtitles" src=(src) srclang=(language) label=(label) default[number == 0];
        }
    };
    html! {
        (DOCTYPE)
        html lang=(player.language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (player.title) }
            }
            body {
                h1 { (player.title) }
                @match player.medium {
                    Medium::Video => {
                        // Captions come from another site than the page.
                        video controls crossorigin="anonymous" preload="metadata" poster=[player.poster.as_deref()]
                            style="width: 100%; max-width: 60rem" { (parts) }
                    }
                    Medium::Audio => { audio controls crossorigin="anonymous" preload="metadata" style="width: 100%" { (parts) } }
                }
                @if !player.thanks.is_empty() { p { (player.thanks) } }
                p { a href=(player.url) target="_blank" rel="noopener" { (player.link) } }
            }
        }
    }
    .into_string()
}
