//! Makes what is shown of an image.

use super::{Error, Held, Outcome, open_source, recognise};
use crate::catalogue::Poster;
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};

/// Re-encodes the picture, bounded in size, and makes its poster.
///
/// # Errors
///
/// [`Error::Media`] when it cannot be read.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let (_, source) = open_source(app, held.resource()).await?;
    let step = Step::Picture { max_pixels: app.config.media.max_pixels };
    let mut child = MediaChild::start(&app.config, step, source, 0)?;
    let mut made = None;
    while let Some(answer) = child.next().await? {
        if let Answer::Picture { width, height, poster_width, poster_height } = answer {
            made = Some((width, height, poster_width, poster_height));
        }
    }
    let Some((width, height, poster_width, poster_height)) = made else {
        return Err(Error::unusable("picture_damaged", ""));
    };
    let large = held.store_file(child.file("large.webp")?, "picture/large".into(), "webp").await?;
    let poster = held.store_file(child.file("poster.jpg")?, "poster/0".into(), "jpg").await?;
    let mut tx = held.begin().await?;
    large.insert(&mut tx, app.now_ms()).await?;
    poster.insert(&mut tx, app.now_ms()).await?;
    tx.commit().await?;
    let poster = Poster { key: poster.key, time_ms: 0, width: poster_width, height: poster_height };
    Ok(Outcome {
        next: recognise::options(&app.config).map(|_| recognise::picture()).into_iter().collect(),
        change: Some(Box::new(move |resource| {
            resource.width = Some(width.into());
            resource.height = Some(height.into());
            resource.poster = Some(poster.key.clone());
            resource.derived.posters = vec![poster];
            resource.derived.picture = Some(large.key);
        })),
    })
}
