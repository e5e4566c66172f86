//! The hashed names of scripts and styles, read from Vite's manifest.

use std::collections::BTreeMap;

use serde::Deserialize;

/// URL paths of what `web/` was built into, each beginning with `/assets/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// The stylesheet of every page.
    pub css: String,
    /// The script of every page.
    pub app: String,
    /// The player's script; it loads the player's library itself.
    pub player: String,
    /// The player's stylesheet.
    pub player_css: String,
    /// The document viewer's script.
    pub viewer: String,
    /// The studio's script.
    pub studio: String,
    /// The script of the page of a review.
    pub review: String,
    /// The caption editor's script.
    pub captions: String,
    /// The caption editor's stylesheet.
    pub captions_css: String,
    /// The script of courses: their pages and their editor.
    pub courses: String,
    /// The picture for browser tabs.
    pub favicon: String,
}

/// Why a manifest could not be used.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// It is not the JSON that Vite writes.
    #[error("cannot read the manifest of web assets")]
    Json(#[from] serde_json::Error),
    /// It does not name something the pages need.
    #[error("the manifest of web assets does not name {0}")]
    Missing(&'static str),
}

#[derive(Deserialize)]
struct Entry {
    file: String,
    #[serde(default)]
    css: Vec<String>,
}

impl Assets {
    /// Reads the text of `web/dist/.vite/manifest.json`.
    ///
    /// # Errors
    ///
    /// [`AssetsError`] when it is not such a manifest or an entry is missing.
    pub fn from_manifest(json: &str) -> Result<Self, AssetsError> {
        let entries: BTreeMap<String, Entry> = serde_json::from_str(json)?;
        let file = |source: &'static str| {
            let entry = entries.get(source).ok_or(AssetsError::Missing(source))?;
            Ok::<_, AssetsError>(format!("/{}", entry.file))
        };
        let css = |source: &str, missing: &'static str| {
            let first = entries.get(source).and_then(|entry| entry.css.first());
            Ok::<_, AssetsError>(format!("/{}", first.ok_or(AssetsError::Missing(missing))?))
        };
        Ok(Self {
            css: file("src/style/main.css")?,
            app: file("src/app.ts")?,
            player: file("src/player.ts")?,
            player_css: css("src/player.ts", "the stylesheet of src/player.ts")?,
            viewer: file("src/viewer.ts")?,
            studio: file("src/studio.ts")?,
            review: file("src/review.ts")?,
            captions: file("src/captions.ts")?,
            captions_css: css("src/captions.ts", "the stylesheet of src/captions.ts")?,
            courses: file("src/courses.ts")?,
            favicon: "/favicon.svg".to_owned(),
        })
    }
}
