//! What is counted in memory while requests are answered is written down every minute.

use std::time::Duration;

use super::{Error, demand};
use crate::app::App;
use crate::db;
use crate::db::traffic::Day;
use crate::deliver::Amount;

/// How often.
const FLUSH: Duration = Duration::from_mins(1);

/// Writes down what was asked for and what was sent, until the program stops. What comes after
/// that is for [`write_down`].
pub async fn follow(app: App) {
    while app.stop.run_until_cancelled(tokio::time::sleep(FLUSH)).await.is_some() {
        write_down(&app).await;
    }
}

/// Writes down what was asked for and what was sent since the last time.
pub async fn write_down(app: &App) {
    demand::write_down(app).await;
    if let Err(error) = write_traffic(app).await {
        // A minute of a library's statistics is lost; what is sent is not.
        tracing::warn!(%error, "cannot write down what was sent");
    }
}

async fn write_traffic(app: &App) -> Result<(), Error> {
    let sent = app.traffic.take();
    if sent.is_empty() {
        return Ok(());
    }
    // The zone was checked with the settings.
    let zone = jiff::tz::TimeZone::get(&app.config.site.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let now = jiff::Timestamp::from_millisecond(app.now_ms()).unwrap_or_default();
    let day = zone.to_datetime(now).date().to_string();
    let mut tx = app.db.begin().await?;
    for (library, Amount { answers, bytes }) in sent {
        db::traffic::add(&mut tx, library, &Day { day: day.clone(), answers, bytes }).await?;
    }
    tx.commit().await?;
    Ok(())
}
