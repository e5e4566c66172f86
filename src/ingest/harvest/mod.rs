//! Takes records of other repositories, by OAI-PMH, as resources that are opened at their home.
//!
//! A harvest asks who the repository is, then for its records, answer by answer. Where it is stands
//! in the row of the source, written with the records of each answer in one transaction; so whoever
//! takes the source next goes on there. An answer is read by the media child.

mod address;
pub(super) mod fetch;
mod record;

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::time::Duration;

use serde_json::json;
use url::Url;

use super::{Error, blocking, io};
use crate::app::App;
use crate::catalogue::{HarvestSource, Resource, ResourceId, SourceId, Stage};
use crate::db::{self, Tx};
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};
use crate::media::records::{Harvested, Record};
use fetch::Fetcher;
use record::{Taken, take};

/// Records that are written in one transaction.
const BATCH: usize = 100;

/// How often sources whose turn it is are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// A harvest begins so long before the one before it began: clocks and transactions there may be
/// late. Records that are the same are met again, which changes nothing.
const OVERLAP_S: i64 = 60;

/// The first pause after a failure; it doubles with each, up to [`MAX_BACKOFF_MS`].
const BACKOFF_MS: i64 = 60_000;
const MAX_BACKOFF_MS: i64 = 86_400_000;

/// Why a harvest does not go on now.
enum Halt {
    /// The repository asks for a pause.
    Later(Duration),
    /// A code for the sentence that people read, and the value in question.
    Failed(&'static str, String),
    /// Another has it, it is gone, or the program is to stop.
    Lost,
    /// The database or the media child.
    Broken(Error),
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

impl From<fetch::Error> for Halt {
    fn from(error: fetch::Error) -> Self {
        match (&error, error.reason()) {
            (fetch::Error::Later(wait), _) => Self::Later(*wait),
            (_, Some((code, info))) => Self::Failed(code, info),
            (_, None) => Self::Lost,
        }
    }
}

/// Harvests the sources whose turn it is until the program stops.
pub async fn follow(app: App) {
    loop {
        let more = match turn(&app).await {
            Ok(more) => more,
            Err(error) => {
                tracing::error!(%error, "cannot harvest");
                false
            }
        };
        let wait = if more { Duration::ZERO } else { LOOK };
        if app.stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
    }
}

/// Harvests a source whose turn it is to its end, or as far as it goes now; false when there is none.
///
/// # Errors
///
/// Those of the database.
pub async fn turn(app: &App) -> Result<bool, Error> {
    let lease = uuid::Uuid::new_v4().simple().to_string();
    let lease_ms = app.config.work.lease_ms;
    let mut tx = app.db.begin().await?;
    let claimed = db::sources::claim(&mut tx, &lease, app.now_ms(), lease_ms).await?;
    tx.commit().await?;
    let Some(source) = claimed else { return Ok(false) };
    let id = source.id;
    let mut harvest = Harvest { app: app.clone(), lease: lease.clone(), source };
    let halted = tokio::select! {
        halted = harvest.run() => halted,
        () = beat(app, id, &lease) => Some(Halt::Lost),
        () = app.stop.cancelled() => Some(Halt::Lost),
    };
    if let Some(halt) = halted {
        put_off(app, id, &lease, halt).await?;
    }
    let mut tx = app.db.begin().await?;
    db::sources::release(&mut tx, id, &lease).await?;
    tx.commit().await?;
    Ok(true)
}

/// Keeps the lease; returns when it is lost.
async fn beat(app: &App, source: SourceId, lease: &str) {
    let lease_ms = app.config.work.lease_ms;
    loop {
        let third = Duration::from_millis(u64::try_from(lease_ms / 3).unwrap_or(1000));
        tokio::time::sleep(third).await;
        let held = async {
            let mut tx = app.db.begin().await?;
            let held = db::sources::hold(&mut tx, source, lease, app.now_ms() + lease_ms).await?;
            tx.commit().await?;
            Ok::<_, db::Error>(held)
        };
        match held.await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "cannot keep the lease of a harvest"),
        }
    }
}

/// Writes down why a harvest does not go on, and when it will.
async fn put_off(app: &App, id: SourceId, lease: &str, halt: Halt) -> Result<(), Error> {
    let mut tx = app.db.begin().await?;
    if !db::sources::hold(&mut tx, id, lease, app.now_ms()).await? {
        return Ok(());
    }
    let Some(mut source) = db::sources::find(&mut tx, id).await? else { return Ok(()) };
    let (wait_ms, error) = match halt {
        Halt::Lost => return Ok(()),
        Halt::Later(wait) => (i64::try_from(wait.as_millis()).unwrap_or(MAX_BACKOFF_MS), None),
        Halt::Failed(code, info) => (backoff_ms(source.failures), Some((code.to_owned(), info))),
        Halt::Broken(error) => (backoff_ms(source.failures), Some(error.reason())),
    };
    source.run_at_ms = Some(app.now_ms() + wait_ms);
    if let Some((code, info)) = error {
        let info: String = info.chars().take(500).collect();
        tracing::warn!(source = source.name, code, info, "a harvest failed");
        source.failures += 1;
        if code == "harvest_token" {
            // From its beginning.
            source.token = None;
        }
        source.error = Some((code, info));
    }
    db::sources::save(&mut tx, &source).await?;
    Ok(tx.commit().await?)
}

fn backoff_ms(failures: i64) -> i64 {
    let times = u32::try_from(failures.clamp(0, 20)).unwrap_or(20);
    BACKOFF_MS.saturating_mul(1 << times).min(MAX_BACKOFF_MS)
}

/// A source that is being harvested.
struct Harvest {
    app: App,
    lease: String,
    source: HarvestSource,
}

impl Harvest {
    /// Goes on to the end; gives why it does not get there.
    async fn run(&mut self) -> Option<Halt> {
        let fetcher = match Fetcher::new(&self.app.config.harvest) {
            Ok(fetcher) => fetcher,
            Err(error) => return Some(error.into()),
        };
        loop {
            match self.step(&fetcher).await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(halt) => return Some(halt),
            }
            // So that it is not much work for others.
            tokio::time::sleep(Duration::from_millis(self.app.config.harvest.pause_ms)).await;
        }
    }

    /// Asks one question; false at the end.
    async fn step(&mut self, fetcher: &Fetcher) -> Result<bool, Halt> {
        let url = self.question()?;
        let body = fetcher.get(&url).await?;
        crate::fault::at("harvest-fetched");
        let answer = read(&self.app, body).await?;
        if self.source.begun.is_none() {
            self.begin(&answer).await?;
            return Ok(true);
        }
        match answer.error.as_ref().map(|(code, message)| (code.as_str(), message)) {
            None => {}
            Some(("noRecordsMatch", _)) => {
                let first = self.source.token.is_none();
                if first && self.source.whole && self.has_records().await? {
                    // Rather a mistake there than that all was taken back.
                    return Err(Halt::Failed("harvest_empty", String::new()));
                }
            }
            Some(("badResumptionToken", _)) if self.source.token.is_some() => {
                return Err(Halt::Failed("harvest_token", String::new()));
            }
            Some((code, message)) => {
                return Err(Halt::Failed("harvest_refused", format!("{code} {message}")));
            }
        }
        let Harvested { records, token, .. } = answer;
        if token.is_some() && token == self.source.token {
            return Err(Halt::Failed("harvest_circle", String::new()));
        }
        self.keep(records, token).await
    }

    /// The address of the next question.
    fn question(&self) -> Result<Url, Halt> {
        let source = &self.source;
        let mut url = Url::parse(&source.url)
            .map_err(|_| Halt::Failed("harvest_forbidden", source.url.clone()))?;
        {
            let mut pairs = url.query_pairs_mut();
            match (&source.begun, &source.token) {
                (None, _) => {
                    pairs.append_pair("verb", "Identify");
                }
                (Some(_), Some(token)) => {
                    pairs.append_pair("verb", "ListRecords").append_pair("resumptionToken", token);
                }
                (Some(_), None) => {
                    pairs.append_pair("verb", "ListRecords");
                    pairs.append_pair("metadataPrefix", &source.prefix);
                    if let Some(set) = &source.set {
                        pairs.append_pair("set", set);
                    }
                    if let Some(since) = source.since.as_ref().filter(|_| !source.whole) {
                        pairs.append_pair("from", since);
                    }
                }
            }
        }
        Ok(url)
    }

    /// Begins a harvest with who the repository says it is.
    async fn begin(&mut self, identify: &Harvested) -> Result<(), Halt> {
        if let Some((code, message)) = &identify.error {
            return Err(Halt::Failed("harvest_refused", format!("{code} {message}")));
        }
        let begun: jiff::Timestamp = identify
            .response_date
            .parse()
            .map_err(|_| Halt::Failed("harvest_not_oai", String::new()))?;
        let begun = jiff::Timestamp::from_second(begun.as_second() - OVERLAP_S)
            .map_err(|_| Halt::Failed("harvest_not_oai", String::new()))?
            .to_string();
        let stamp = if identify.seconds { Some(&*begun) } else { begun.get(..10) };
        let mut tx = self.hold().await?;
        let source = &mut self.source;
        source.round += 1;
        // Who does not tell what is gone is compared as a whole.
        source.whole = source.since.is_none() || !identify.tells_deleted;
        source.begun = stamp.map(str::to_owned);
        source.token = None;
        db::sources::save(&mut tx, source).await?;
        Ok(tx.commit().await?)
    }

    async fn has_records(&self) -> Result<bool, Halt> {
        let mut db = self.app.db.read().await?;
        let any = db::sources::list_not_met(&mut db, self.source.id, i64::MAX, 1).await?;
        Ok(!any.is_empty())
    }

    /// Keeps the records of an answer and where the list goes on; false at its end.
    async fn keep(&mut self, records: Vec<Record>, token: Option<String>) -> Result<bool, Halt> {
        let mut batches = records.chunks(BATCH).peekable();
        let ends = token.is_none();
        while let Some(batch) = batches.next() {
            let mut tx = self.hold().await?;
            let mut changed = Vec::new();
            for record in batch {
                changed.extend(self.put(&mut tx, record).await?);
            }
            if batches.peek().is_none() && !ends {
                self.source.token.clone_from(&token);
                db::sources::save(&mut tx, &self.source).await?;
            }
            tx.commit().await?;
            self.announce(&changed);
            crate::fault::at("harvest-kept");
        }
        if !ends {
            if records.is_empty() {
                // An answer without records that goes on.
                let mut tx = self.hold().await?;
                self.source.token = token;
                db::sources::save(&mut tx, &self.source).await?;
                tx.commit().await?;
            }
            return Ok(true);
        }
        while self.source.whole && self.remove_not_met().await? {}
        self.end().await?;
        Ok(false)
    }

    /// Keeps a record; gives its resource when that makes a difference.
    async fn put(&self, tx: &mut Tx, record: &Record) -> Result<Option<ResourceId>, Halt> {
        let source = &self.source;
        if record.identifier.is_empty() {
            return Ok(None);
        }
        let known = db::sources::find_resource(tx, source.id, &record.identifier).await?;
        if record.deleted {
            return match known {
                Some(id) => remove(&self.app, tx, id).await,
                None => Ok(None),
            };
        }
        let taken = match take(record, &source.mapping) {
            Ok(Some(taken)) => taken,
            Ok(None) => return Ok(None),
            Err(rule) => {
                let identifier = &record.identifier;
                tracing::warn!(source = source.name, identifier, %rule, "a record is left out");
                return Ok(None);
            }
        };
        let now_ms = self.app.now_ms();
        let (resource, differs) = match known {
            Some(id) => {
                let old = db::resources::get_locked(tx, id).await?;
                let mut new = shown(old.clone(), &taken, record);
                // A librarian has taken it away: it stays so.
                let differs = old.stage != Stage::Deleted && new != old;
                if differs {
                    db::resources::save(tx, &mut new, now_ms).await?;
                }
                (new, differs)
            }
            None => {
                let draft =
                    Resource::draft(source.library, source.account, taken.details.clone(), now_ms);
                let mut new = shown(draft, &taken, record);
                new.stage = Stage::Published;
                new.published_ms = Some(now_ms);
                new.progress = 1.0;
                db::resources::insert(tx, &mut new).await?;
                db::resources::save(tx, &mut new, now_ms).await?;
                (new, true)
            }
        };
        let at = (taken.home.as_str(), taken.file.as_deref());
        db::sources::put(tx, resource.id, source, &record.identifier, at).await?;
        Ok(differs.then_some(resource.id))
    }

    /// Removes some of what is not there any more; false when nothing was left.
    async fn remove_not_met(&self) -> Result<bool, Halt> {
        let mut tx = self.hold().await?;
        let (id, round) = (self.source.id, self.source.round);
        let gone = db::sources::list_not_met(&mut tx, id, round, BATCH as i64).await?;
        let mut changed = Vec::new();
        for id in &gone {
            changed.extend(remove(&self.app, &mut tx, *id).await?);
        }
        tx.commit().await?;
        self.announce(&changed);
        Ok(!gone.is_empty())
    }

    async fn end(&mut self) -> Result<(), Halt> {
        let mut tx = self.hold().await?;
        let now_ms = self.app.now_ms();
        let source = &mut self.source;
        source.since = source.begun.take().or(source.since.take());
        source.token = None;
        source.whole = false;
        source.failures = 0;
        source.error = None;
        source.ended_ms = Some(now_ms);
        source.run_at_ms = (source.every_ms > 0).then_some(now_ms + source.every_ms);
        db::sources::save(&mut tx, source).await?;
        let detail = json!({ "round": source.round });
        let id = source.id.to_string();
        db::audit::record(&mut tx, now_ms, None, "harvest", &id, &detail).await?;
        tx.commit().await?;
        tracing::info!(source = source.name, "harvested");
        Ok(())
    }

    /// Begins a transaction in which the source is surely still ours.
    async fn hold(&self) -> Result<Tx, Halt> {
        let until_ms = self.app.now_ms() + self.app.config.work.lease_ms;
        let mut tx = self.app.db.begin().await?;
        if db::sources::hold(&mut tx, self.source.id, &self.lease, until_ms).await? {
            Ok(tx)
        } else {
            Err(Halt::Lost)
        }
    }

    fn announce(&self, changed: &[ResourceId]) {
        changed.iter().for_each(|id| self.app.announce(*id));
    }
}

/// `resource` with what a record says.
fn shown(resource: Resource, taken: &Taken, record: &Record) -> Resource {
    Resource {
        kind: taken.kind,
        details: taken.details.clone(),
        media_type: taken.media_type.clone(),
        duration_ms: record.duration_ms,
        ..resource
    }
}

/// Removes a resource that is gone at its home, and forgets where it came from.
async fn remove(app: &App, tx: &mut Tx, id: ResourceId) -> Result<Option<ResourceId>, Halt> {
    let resource = db::resources::get_locked(tx, id).await?;
    db::sources::forget(tx, id).await?;
    let Ok(mut resource) = resource.delete() else { return Ok(None) };
    db::resources::save(tx, &mut resource, app.now_ms()).await?;
    Ok(Some(id))
}

/// Removes a source with all that came from it, for `account` or the command line.
///
/// # Errors
///
/// Those of the database; what was removed by then stays removed.
pub async fn remove_source(
    app: &App,
    id: SourceId,
    account: Option<crate::catalogue::AccountId>,
) -> Result<(), Error> {
    loop {
        let mut tx = app.db.begin().await?;
        let ids = db::sources::list_not_met(&mut tx, id, i64::MAX, BATCH as i64).await?;
        let mut changed = Vec::new();
        for id in &ids {
            match remove(app, &mut tx, *id).await {
                Ok(removed) => changed.extend(removed),
                Err(Halt::Broken(error)) => return Err(error),
                Err(_) => return Err(Error::LeaseLost),
            }
        }
        if ids.is_empty() {
            let subject = id.to_string();
            db::sources::delete(&mut tx, id).await?;
            let (now_ms, detail) = (app.now_ms(), json!({}));
            db::audit::record(&mut tx, now_ms, account, "remove-source", &subject, &detail).await?;
        }
        tx.commit().await?;
        changed.iter().for_each(|id| app.announce(*id));
        if ids.is_empty() {
            return Ok(());
        }
    }
}

/// Has the media child read an answer.
async fn read(app: &App, body: Vec<u8>) -> Result<Harvested, Halt> {
    let scratch = app.config.storage.data.join("scratch");
    let file: File = blocking(move || {
        let mut file = tempfile::tempfile_in(scratch).map_err(io("keeping an answer"))?;
        file.write_all(&body).map_err(io("keeping an answer"))?;
        file.rewind().map_err(io("keeping an answer"))?;
        Ok(file)
    })
    .await?;
    let step = Step::Records { max_depth: app.config.media.max_xml_depth };
    let mut child = MediaChild::start(&app.config, step, file, 0).map_err(Error::from)?;
    let mut harvested = None;
    while let Some(answer) = child.next().await.map_err(Error::from)? {
        if let Answer::Harvested(answer) = answer {
            harvested = Some(*answer);
        }
    }
    harvested.ok_or_else(|| Halt::Failed("harvest_not_oai", String::new()))
}
