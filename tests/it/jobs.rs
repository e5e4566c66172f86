//! Jobs: one worker at a time, and only while its lease lasts; whose turn it is; what people can
//! do about them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use duoku::catalogue::{
    Account, AccountId, Details, Library, LibraryId, NetRole, Resource, ResourceId,
};
use duoku::db::jobs::{self, AGE_MS, Claim, Job, Lane, NewJob};
use duoku::db::{self, Db, Engine};
use http::Method;
use proptest::prelude::*;
use serde_json::Value;

use crate::app::{Database, TestApp, children_of, eventually, is_alive};
use crate::client::{Client, text_of};
use crate::fixture;

/// A database alone, without a server.
struct Bare {
    _folder: tempfile::TempDir,
    database: Option<Database>,
    url: String,
}

impl Bare {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::create();
        let url = match &database {
            Some(database) => database.url.clone(),
            None => db::sqlite_file(&folder.path().join("duoku.db")),
        };
        Self { _folder: folder, database, url }
    }

    async fn open(&self) -> Db {
        Db::open(&self.url).await.expect("the database opens")
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.database = None;
    }
}

/// A resource for jobs to belong to.
async fn resource(db: &Db) -> ResourceId {
    let account = Account::new(&AccountId::fresh().to_string(), "", NetRole::Learner);
    let slug = format!("l-{}", LibraryId::fresh());
    let library = Library::new(slug.parse().expect("a slug"), "", 0);
    let mut tx = db.begin().await.expect("a transaction");
    db::accounts::insert(&mut tx, &account, None, 0).await.expect("inserted");
    db::libraries::insert(&mut tx, &library).await.expect("inserted");
    tx.commit().await.expect("committed");
    resource_of(db, library.id, account.id).await
}

/// A resource of a library that is there.
async fn resource_of(db: &Db, library: LibraryId, account: AccountId) -> ResourceId {
    let details = Details { title: "图".into(), ..Details::default() };
    let mut resource = Resource::draft(library, account, details, 0);
    let mut tx = db.begin().await.expect("a transaction");
    db::resources::insert(&mut tx, &mut resource).await.expect("inserted");
    tx.commit().await.expect("committed");
    resource.id
}

/// Another resource of the same library.
async fn sibling(db: &Db, resource: ResourceId) -> ResourceId {
    let found = db::resources::find(&mut db.read().await.expect("read"), resource).await;
    let found = found.expect("read").expect("there");
    resource_of(db, found.library, found.uploaded_by).await
}

/// Pushes one part to be encoded for each priority, of `weight` each.
async fn push_parts(db: &Db, resource: ResourceId, priorities: &[i64], weight: f64, at_ms: i64) {
    let part = |priority: &i64| NewJob {
        kind: "encode",
        payload: "{}".into(),
        priority: *priority,
        weight,
    };
    let parts: Vec<NewJob> = priorities.iter().map(part).collect();
    let mut tx = db.begin().await.expect("a transaction");
    jobs::push_all(&mut tx, resource, &parts, at_ms).await.expect("pushed");
    tx.commit().await.expect("committed");
}

async fn claim_from(db: &Db, lanes: [Lane; 2], now_ms: i64, most: i64) -> Option<Job> {
    let claim = Claim { now_ms, lease_ms: 3_600_000, lanes, max_library_jobs: most };
    let mut tx = db.begin().await.expect("a transaction");
    let job = jobs::claim(&mut tx, &claim).await.expect("asked");
    tx.commit().await.expect("committed");
    job
}

async fn finish(db: &Db, job: &Job, now_ms: i64) {
    let mut tx = db.begin().await.expect("a transaction");
    jobs::finish(&mut tx, job, now_ms).await.expect("finished");
    tx.commit().await.expect("committed");
}

/// Runs `count` heavy jobs one after another, a second each; gives whose they were.
async fn run_heavy(db: &Db, count: usize, mut now_ms: i64) -> Vec<ResourceId> {
    let mut order = Vec::new();
    for _ in 0..count {
        let job = claim_from(db, HEAVY, now_ms, 0).await.expect("a job");
        now_ms += 1000;
        finish(db, &job, now_ms).await;
        order.push(job.resource);
    }
    order
}

const HEAVY: [Lane; 2] = [Lane::Heavy; 2];
const LIGHT: [Lane; 2] = [Lane::Look, Lane::Light];

async fn push(db: &Db, resource: ResourceId, priority: i64, run_at_ms: i64) {
    let job = NewJob { kind: "probe", payload: "{}".into(), priority, weight: 1.0 };
    let mut tx = db.begin().await.expect("a transaction");
    jobs::push(&mut tx, resource, &job, run_at_ms).await.expect("pushed");
    tx.commit().await.expect("committed");
}

async fn claim(db: &Db, now_ms: i64, lease_ms: i64) -> Option<Job> {
    let claim = Claim { now_ms, lease_ms, lanes: LIGHT, max_library_jobs: 0 };
    let mut tx = db.begin().await.expect("a transaction");
    let job = jobs::claim(&mut tx, &claim).await.expect("asked");
    tx.commit().await.expect("committed");
    job
}

async fn hold(db: &Db, job: &Job, now_ms: i64, lease_ms: i64) -> bool {
    let mut tx = db.begin().await.expect("a transaction");
    let held = jobs::hold(&mut tx, job, now_ms, lease_ms, 0.5).await.expect("asked");
    tx.commit().await.expect("committed");
    held
}

async fn put_back(db: &Db, job: &Job, run_at_ms: i64) {
    let mut tx = db.begin().await.expect("a transaction");
    jobs::put_back(&mut tx, job, run_at_ms, "later").await.expect("asked");
    tx.commit().await.expect("committed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_job_is_claimed_by_one_of_many_workers() {
    let bare = Bare::new();
    let first = bare.open().await;
    let resource = resource(&first).await;
    const JOBS: usize = 60;
    for number in 0..JOBS {
        push(&first, resource, i64::try_from(number % 3).expect("small"), 0).await;
    }
    // Each worker is a process of its own as far as the database can tell.
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let db = bare.open().await;
        workers.spawn(async move {
            let mut mine = Vec::new();
            let mut misses = 0;
            // Empty-handed can mean that another was quicker.
            while misses < 20 {
                match claim(&db, 1000, 60_000).await {
                    Some(job) => mine.push(job.id),
                    None => {
                        misses += 1;
                        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                    }
                }
            }
            db.close().await;
            mine
        });
    }
    let mut claimed: Vec<String> = workers.join_all().await.concat();
    assert_eq!(claimed.len(), JOBS);
    claimed.sort_unstable();
    claimed.dedup();
    assert_eq!(claimed.len(), JOBS, "each once");
    first.close().await;
}

#[tokio::test]
async fn jobs_are_claimed_in_their_order_and_not_before_their_time() {
    let bare = Bare::new();
    let db = bare.open().await;
    let resource = resource(&db).await;
    for (priority, run_at_ms) in [(5, 10), (1, 30), (1, 20), (0, 500)] {
        push(&db, resource, priority, run_at_ms).await;
    }
    assert!(claim(&db, 9, 1000).await.is_none());
    let mut order = Vec::new();
    for _ in 0..3 {
        let job = claim(&db, 100, 1000).await.expect("a job");
        let states = jobs::list(&mut db.read().await.expect("read"), resource).await.expect("read");
        let running = states.iter().filter(|job| job.state == "running").count();
        order.push((running, job.attempts));
    }
    assert_eq!(order, [(1, 1), (2, 1), (3, 1)]);
    assert!(claim(&db, 499, 1000).await.is_none(), "not before its time");
    assert!(claim(&db, 500, 1000).await.is_some());
    db.close().await;
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_cannot_write() {
    let bare = Bare::new();
    let (one, two) = (bare.open().await, bare.open().await);
    let resource = resource(&one).await;
    push(&one, resource, 0, 0).await;
    let lost = claim(&one, 0, 1000).await.expect("a job");
    assert!(claim(&two, 1000, 1000).await.is_none(), "the lease lasts");
    assert!(hold(&one, &lost, 900, 1000).await, "and can be kept: until 1900");
    assert!(claim(&two, 1900, 1000).await.is_none());
    let taken = claim(&two, 1901, 1000).await.expect("it ran out");
    assert_eq!((&taken.id, taken.attempts), (&lost.id, 2));
    assert_ne!(taken.lease, lost.lease);
    assert!(!hold(&one, &lost, 1902, 1000).await, "the first one is out");
    put_back(&one, &lost, 0).await;
    assert!(claim(&one, 1903, 1000).await.is_none(), "what it says changes nothing");
    assert!(hold(&two, &taken, 1904, 1000).await);
    let mut tx = two.begin().await.expect("a transaction");
    assert!(jobs::hold(&mut tx, &taken, 1905, 1000, 0.5).await.expect("asked"));
    jobs::finish(&mut tx, &taken, 1905).await.expect("finished");
    tx.commit().await.expect("committed");
    assert!(!hold(&two, &taken, 1906, 1000).await, "done is done");
    assert!(claim(&one, 1_000_000, 1000).await.is_none());
    one.close().await;
    two.close().await;
}

#[tokio::test]
async fn a_job_that_was_put_back_waits_its_time() {
    let bare = Bare::new();
    let db = bare.open().await;
    let resource = resource(&db).await;
    push(&db, resource, 0, 0).await;
    for attempt in 1..=4 {
        let now_ms = attempt * 10_000;
        let job = claim(&db, now_ms, 1000).await.expect("a job");
        assert_eq!(job.attempts, attempt);
        put_back(&db, &job, now_ms + 5000).await;
        assert!(claim(&db, now_ms + 4999, 1000).await.is_none());
        let states = jobs::list(&mut db.read().await.expect("read"), resource).await.expect("read");
        assert_eq!(states[0].error.as_deref(), Some("later"));
    }
    let mut tx = db.begin().await.expect("a transaction");
    jobs::fail_all(&mut tx, resource, "no use").await.expect("failed");
    tx.commit().await.expect("committed");
    assert!(claim(&db, 1_000_000, 1000).await.is_none(), "failed is the end");
    db.close().await;
}

/// What the workers of a model do.
#[derive(Debug, Clone)]
enum Step {
    Push(i64),
    Claim(usize),
    Hold(usize),
    PutBack(usize, i64),
    Finish(usize),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0_i64..2000).prop_map(Step::Push),
        4 => (0_usize..3).prop_map(Step::Claim),
        2 => (0_usize..3).prop_map(Step::Hold),
        1 => (0_usize..3, 0_i64..2000).prop_map(|(worker, pause)| Step::PutBack(worker, pause)),
        2 => (0_usize..3).prop_map(Step::Finish),
        3 => (1_i64..1500).prop_map(Step::Wait),
    ]
}

const LEASE_MS: i64 = 1000;

/// What the model knows of a job.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    Queued(i64),
    Running { lease: String, until_ms: i64 },
    Done,
}

/// Plays `steps` on the database and on a map, which must agree at every step.
async fn play(db: &Db, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let resource = resource(db).await;
    let mut known: HashMap<String, Known> = HashMap::new();
    let mut pushed: Vec<i64> = Vec::new();
    let mut workers: [Option<Job>; 3] = [None, None, None];
    let mut now_ms = 0;
    for step in steps {
        match step {
            Step::Push(after) => {
                push(db, resource, 0, now_ms + after).await;
                pushed.push(now_ms + after);
            }
            Step::Wait(ms) => now_ms += ms,
            Step::Claim(worker) => {
                // Whoever looks for a job queues those again whose lease ran out.
                for job in known.values_mut() {
                    if matches!(job, Known::Running { until_ms, .. } if *until_ms < now_ms) {
                        *job = Known::Queued(0);
                    }
                }
                let free = |known: &HashMap<String, Known>| {
                    known.values().any(|job| match job {
                        Known::Queued(at) => *at <= now_ms,
                        Known::Running { .. } | Known::Done => false,
                    })
                };
                let fresh = pushed.iter().any(|at| *at <= now_ms);
                match claim(db, now_ms, LEASE_MS).await {
                    Some(job) => {
                        match known.get(&job.id) {
                            Some(Known::Queued(at)) => prop_assert!(*at <= now_ms),
                            Some(Known::Running { .. }) => prop_assert!(false, "a job that runs"),
                            Some(Known::Done) => prop_assert!(false, "a job that is done"),
                            None => {
                                let at = pushed.iter().position(|at| *at <= now_ms);
                                prop_assert!(at.is_some(), "a job before its time");
                                // Among those not seen yet the earliest comes first.
                                let earliest = pushed.iter().min().copied();
                                pushed.retain({
                                    let mut taken = false;
                                    move |at| {
                                        let this = !taken && Some(*at) == earliest;
                                        taken |= this;
                                        !this
                                    }
                                });
                            }
                        }
                        let running = Known::Running {
                            lease: job.lease.clone(),
                            until_ms: now_ms + LEASE_MS,
                        };
                        known.insert(job.id.clone(), running);
                        workers[worker] = Some(job);
                    }
                    None => prop_assert!(!free(&known) && !fresh, "a job was there"),
                }
            }
            Step::Hold(worker) => {
                let Some(job) = &workers[worker] else { continue };
                let ours =
                    matches!(&known[&job.id], Known::Running { lease, .. } if *lease == job.lease);
                prop_assert_eq!(hold(db, job, now_ms, LEASE_MS).await, ours);
                if ours {
                    let lease = job.lease.clone();
                    known.insert(
                        job.id.clone(),
                        Known::Running { lease, until_ms: now_ms + LEASE_MS },
                    );
                }
            }
            Step::PutBack(worker, pause) => {
                let Some(job) = workers[worker].take() else { continue };
                let ours =
                    matches!(&known[&job.id], Known::Running { lease, .. } if *lease == job.lease);
                put_back(db, &job, now_ms + pause).await;
                if ours {
                    known.insert(job.id.clone(), Known::Queued(now_ms + pause));
                }
            }
            Step::Finish(worker) => {
                let Some(job) = workers[worker].take() else { continue };
                let ours =
                    matches!(&known[&job.id], Known::Running { lease, .. } if *lease == job.lease);
                let mut tx = db.begin().await.expect("a transaction");
                let held = jobs::hold(&mut tx, &job, now_ms, LEASE_MS, 0.5).await.expect("asked");
                prop_assert_eq!(held, ours);
                if held {
                    jobs::finish(&mut tx, &job, now_ms).await.expect("finished");
                    tx.commit().await.expect("committed");
                    known.insert(job.id.clone(), Known::Done);
                }
            }
        }
        let states = jobs::list(&mut db.read().await.expect("read"), resource).await.expect("read");
        let count = |state: &str| states.iter().filter(|job| job.state == state).count();
        let model = |wanted: fn(&Known) -> bool| known.values().filter(|job| wanted(job)).count();
        prop_assert_eq!(count("done"), model(|job| *job == Known::Done));
        prop_assert_eq!(count("running"), model(|job| matches!(job, Known::Running { .. })));
    }
    let mut tx = db.begin().await.expect("a transaction");
    jobs::delete_all(&mut tx, resource).await.expect("forgotten");
    tx.commit().await.expect("committed");
    Ok(())
}

#[test]
fn jobs_behave_as_a_model_of_leases_says() {
    let bare = Bare::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let db = runtime.block_on(bare.open());
    let config =
        ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in proptest::collection::vec(step(), 1..40))| {
        runtime.block_on(play(&db, steps))?;
    });
    runtime.block_on(db.close());
}

#[tokio::test]
async fn each_lane_has_its_own_queue() {
    let bare = Bare::new();
    let db = bare.open().await;
    let resource = resource(&db).await;
    push_parts(&db, resource, &[10], 1.0, 0).await;
    assert!(claim_from(&db, LIGHT, 0, 0).await.is_none(), "a heavy job is for a heavy worker");
    push(&db, resource, 50, 0).await;
    assert_eq!(claim_from(&db, HEAVY, 0, 0).await.expect("a job").kind, "encode");
    assert!(claim_from(&db, HEAVY, 0, 0).await.is_none());
    assert_eq!(claim_from(&db, [Lane::Look; 2], 0, 0).await.expect("a job").kind, "probe");
    db.close().await;
}

#[tokio::test]
async fn libraries_take_turns_and_short_resources_come_first() {
    let bare = Bare::new();
    let db = bare.open().await;
    let long = resource(&db).await;
    let short = sibling(&db, long).await;
    let other = resource(&db).await;
    push_parts(&db, long, &[10, 10, 10], 500.0, 0).await;
    push_parts(&db, short, &[10, 10], 5.0, 20).await;
    push_parts(&db, other, &[10, 10], 500.0, 40).await;
    // One library has five jobs, the other two: they alternate while both have any.
    let order = run_heavy(&db, 7, 100).await;
    assert_eq!(order, [short, other, short, other, long, long, long]);
    db.close().await;
}

#[tokio::test]
async fn first_parts_come_first_unless_others_have_waited_for_long() {
    let bare = Bare::new();
    let db = bare.open().await;
    let (old, new) = (resource(&db).await, resource(&db).await);
    push_parts(&db, old, &[12], 1.0, 0).await;
    push_parts(&db, new, &[10], 1.0, AGE_MS).await;
    assert_eq!(run_heavy(&db, 1, AGE_MS + 1).await, [new], "waited, but not long enough");
    push_parts(&db, new, &[10], 1.0, 3 * AGE_MS).await;
    assert_eq!(run_heavy(&db, 2, 3 * AGE_MS + 1).await, [old, new]);
    // Within a library too.
    let next = sibling(&db, old).await;
    push_parts(&db, old, &[12], 1.0, 0).await;
    push_parts(&db, next, &[10], 1.0, 3 * AGE_MS).await;
    assert_eq!(run_heavy(&db, 2, 3 * AGE_MS + 1).await, [old, next]);
    db.close().await;
}

#[tokio::test]
async fn a_resource_can_be_let_go_first() {
    let bare = Bare::new();
    let db = bare.open().await;
    let (one, two) = (resource(&db).await, resource(&db).await);
    push_parts(&db, one, &[10, 11], 1.0, 0).await;
    push_parts(&db, two, &[10, 11], 1.0, 10).await;
    let mut tx = db.begin().await.expect("a transaction");
    assert!(jobs::set_urgency(&mut tx, two, -20).await.expect("set"));
    assert!(!jobs::set_urgency(&mut tx, ResourceId::fresh(), 1).await.expect("asked"));
    tx.commit().await.expect("committed");
    // What is pushed later as well.
    push_parts(&db, two, &[12], 1.0, 20).await;
    assert_eq!(run_heavy(&db, 5, 100).await, [two, two, two, one, one]);
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_library_runs_more_jobs_than_it_may() {
    let bare = Bare::new();
    let first = bare.open().await;
    let (one, two) = (resource(&first).await, resource(&first).await);
    for resource in [one, two] {
        push_parts(&first, resource, &[10; 20], 1.0, 0).await;
        for _ in 0..20 {
            push(&first, resource, 1, 0).await;
        }
    }
    let mut workers = tokio::task::JoinSet::new();
    for number in 0..8 {
        let db = bare.open().await;
        let lanes = if number % 2 == 0 { HEAVY } else { LIGHT };
        workers.spawn(async move {
            let mut misses = 0;
            let mut mine = 0;
            while misses < 10 {
                if let Some(job) = claim_from(&db, lanes, 1000, 3).await {
                    let rows = running(&db, job.resource).await;
                    assert!(rows <= 3, "{rows} run");
                    finish(&db, &job, 2000).await;
                    mine += 1;
                } else {
                    misses += 1;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            db.close().await;
            mine
        });
    }
    let done: usize = workers.join_all().await.iter().sum();
    assert_eq!(done, 80, "and all are done");
    first.close().await;
}

async fn running(db: &Db, resource: ResourceId) -> usize {
    let states = jobs::list(&mut db.read().await.expect("read"), resource).await.expect("read");
    states.iter().filter(|job| job.state == "running").count()
}

#[tokio::test]
async fn a_long_queue_is_claimed_from_as_quickly_as_a_short_one() {
    let bare = Bare::new();
    let db = bare.open().await;
    let mut resources = Vec::new();
    for _ in 0..20 {
        resources.push(resource(&db).await);
    }
    fill(&db, &resources, 3).await;
    let short = usual_claim(&db, 1000).await;
    fill(&db, &resources, 5000).await;
    let long = usual_claim(&db, 2000).await;
    eprintln!("a claim of 20 libraries: {short:?} among 60 jobs, {long:?} among 100,000");
    // One that looked at all would take hundreds of times as long.
    assert!(long < short * 5 + Duration::from_millis(20), "{long:?} instead of {short:?}");
    db.close().await;
}

/// Queues `count` heavy jobs of each resource, in no order.
async fn fill(db: &Db, resources: &[ResourceId], count: i64) {
    let mut tx = db.begin().await.expect("a transaction");
    for resource in resources {
        sqlx::query(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
             INSERT INTO job (id, kind, lane, resource, library, payload, state, priority, turn,
                    attempts, run_at_ms, progress, weight, created_ms)
             SELECT r.id || '-' || $2 || '-' || i, 'encode', 'heavy', r.id, r.library, '{}', 'queued',
                    10 + i % 100, i * 7919 % 1000003, 0, 0, 0, 10, 0
               FROM n, resource r WHERE r.id = $1",
        )
        .bind(resource.to_string())
        .bind(count)
        .execute(&mut *tx)
        .await
        .expect("inserted");
    }
    if db.engine() == Engine::Postgres {
        // It does so by itself after a while; SQLite never does.
        sqlx::query("ANALYZE job").execute(&mut *tx).await.expect("counted");
    }
    tx.commit().await.expect("committed");
}

/// Median of how long claims take.
async fn usual_claim(db: &Db, now_ms: i64) -> Duration {
    let mut took = Vec::new();
    for number in 0..41 {
        let begun = Instant::now();
        claim_from(db, HEAVY, now_ms + number, 30).await.expect("a job");
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    took[took.len() / 2]
}

/// The media child that encodes, once there is one.
async fn encoding(app: &TestApp, client: &Client, id: &str) -> u32 {
    eventually("a part is encoded", Duration::from_secs(60), || async {
        let list = client.get(&format!("/api/jobs?resource={id}&state=running")).await;
        let list = list.expect(200).json();
        let encodes = list["items"].as_array()?.iter().any(|job| job["step"] == "encode");
        let children = children_of(app.server().id());
        let child = children.iter().find(|(_, line)| line.contains("media child"))?;
        encodes.then_some(child.0)
    })
    .await
}

fn nice_of(id: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("it runs");
    let fields = stat.rsplit_once(')').expect("a name").1;
    fields.split_whitespace().nth(16).expect("a field").to_owned()
}

#[tokio::test]
async fn what_is_cancelled_ends_at_once_leaves_nothing_and_can_be_begun_again() {
    // One light worker, so that the only child is the one that encodes.
    let app = TestApp::with(&[("DUOKU_WORK_NICE", "1"), ("DUOKU_WORK_LIGHT_WORKERS", "1")]);
    let admin = app.admin().await;
    let id = admin.upload("a.mp4", "取消", &fixture::heavy_video(25)).await;
    encoding(&app, &admin, &id).await;
    let path = format!("/api/resources/{id}");
    let children = || children_of(app.server().id());
    let lowered = eventually("it gives way", Duration::from_secs(5), || async {
        children().iter().map(|(child, _)| *child).find(|child| nice_of(*child) == "1")
    })
    .await;
    let cancelled = admin.post(&format!("{path}/cancel")).await.expect(200).json();
    let begun = Instant::now();
    assert_eq!(cancelled["stage"], "failed");
    assert_eq!(cancelled["failure_code"], "cancelled");
    assert_eq!(cancelled["failure"], "已取消处理。");
    // A second or two; more only where the machine has no time for it.
    eventually("its children end", Duration::from_secs(10), || async {
        children().is_empty().then_some(())
    })
    .await;
    eprintln!("ended {:?} after", begun.elapsed());
    assert!(!is_alive(lowered));
    admin.post(&format!("{path}/cancel")).await.expect(409);
    eventually("only the source is left", Duration::from_secs(10), || async {
        let stored = app.stored();
        let sources = stored.iter().filter(|path| path.starts_with("source"));
        (sources.count() == 1).then_some(())
    })
    .await;
    app.check();
    let jobs = eventually("nothing is to be done", Duration::from_secs(10), || async {
        app.ran(&["jobs"]).is_empty().then(|| app.ran(&["jobs", "--all"]))
    })
    .await;
    assert_eq!(jobs.lines().count(), 1, "{jobs}");

    app.ran(&["jobs", "retry", &id]);
    encoding(&app, &admin, &id).await;
    app.ran(&["jobs", "cancel", &id]);
    assert_ne!(app.run(&["jobs", "cancel", &id]).code, 0, "only once");
    let settled = admin.settled(&id).await;
    assert_eq!(settled["failure_code"], "cancelled");
    admin.post(&format!("{path}/retry")).await.expect(200);
    let resource = admin.settled(&id).await;
    assert_eq!(resource["stage"], "published", "{resource:#}");
    app.check();
}

#[tokio::test]
async fn small_work_does_not_wait_for_heavy_and_progress_is_honest() {
    let app = TestApp::with(&[("DUOKU_WORK_WORKERS", "1")]);
    let admin = app.admin().await;
    let id = admin.upload("a.mp4", "长", &fixture::heavy_video(45)).await;
    encoding(&app, &admin, &id).await;
    let picture = admin.upload("p.bmp", "图", &fixture::picture(5)).await;
    assert_eq!(admin.settled(&picture).await["stage"], "published");
    let path = format!("/api/resources/{id}");
    let video = admin.get(&path).await.expect(200).json();
    assert_eq!(video["stage"], "processing", "too quick for this test: {video:#}");
    let (mut before, mut told) = (0.0, Vec::new());
    loop {
        let video = admin.get(&path).await.expect(200).json();
        if video["stage"] != "processing" {
            assert_eq!(video["stage"], "published", "{video:#}");
            assert_eq!(video["remaining_ms"], Value::Null);
            break;
        }
        let progress = video["progress"].as_f64().expect("a number");
        assert!(progress >= before && progress < 1.0, "{progress} after {before}");
        before = progress;
        if let Some(ms) = video["remaining_ms"].as_i64() {
            assert!(ms > 0 && ms % 10_000 == 0, "{ms}");
            assert!(text_of(&video["doing"]).contains("，约还需 "), "{}", video["doing"]);
            told.push(ms);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // How long it takes depends on what else the machine does; less is left at the end.
    let first = told.first().expect("it took long enough to say how long");
    assert!(told.last() <= Some(&(2 * first)), "{told:?}");
}

#[tokio::test]
async fn what_writes_waits_while_the_disk_is_short() {
    let mut app = TestApp::with(&[("DUOKU_WORK_KEEP_FREE_BYTES", "4611686018427387904")]);
    let admin = app.admin().await;
    let id = admin.upload("a.mp3", "等", &fixture::audio(3)).await;
    waits_for_disk(&admin, &id).await;
    let waiting = app.ran(&["jobs"]);
    assert!(waiting.contains("waiting: disk is short"), "{waiting}");
    let list = admin.get("/api/jobs?state=queued").await.expect(200).json();
    for job in list["items"].as_array().expect("a list") {
        assert_eq!((&job["waits_for"], &job["attempts"]), (&"disk".into(), &0.into()), "{job:#}");
    }
    let metrics = app.nobody().get("/metrics").await.text();
    let line = metrics.lines().find(|line| line.starts_with("duoku_jobs_waiting_for_disk"));
    assert!(line.is_some_and(|line| !line.ends_with(" 0")), "{line:?}");
    // What removes goes on.
    let picture = admin.upload("p.bmp", "图", &fixture::picture(6)).await;
    waits_for_disk(&admin, &picture).await;
    admin.delete(&format!("/api/resources/{picture}")).await.expect(204);
    eventually("the picture's source is removed", Duration::from_secs(20), || async {
        let stored = app.stored();
        let sources = stored.iter().filter(|path| path.starts_with("source"));
        (sources.count() == 1).then_some(())
    })
    .await;
    app.stop();
    app.set("DUOKU_WORK_KEEP_FREE_BYTES", "0");
    app.serve(&[]);
    let resource = admin.at(app.address()).settled(&id).await;
    assert_eq!(resource["stage"], "published", "{resource:#}");
}

async fn waits_for_disk(client: &Client, id: &str) {
    let path = format!("/api/resources/{id}");
    eventually("it says that it waits", Duration::from_secs(30), || async {
        let resource = client.get(&path).await.expect(200).json();
        let disk = "服务器磁盘空间不足，腾出空间后会自动继续";
        (resource["doing"] == disk && resource["remaining_ms"].is_null()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn administrators_list_jobs_page_by_page() {
    let mut app = TestApp::stopped(&[]);
    app.serve(&["--no-work"]);
    let admin = app.admin().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(admin.upload("p.bmp", &format!("图 {number}"), &fixture::picture(number)).await);
    }
    let (mut seen, mut path) = (Vec::new(), "/api/jobs?per_page=2".to_owned());
    loop {
        let page = admin.get(&path).await.expect(200).json();
        for job in page["items"].as_array().expect("a list") {
            assert_eq!((text_of(&job["step"]), text_of(&job["state"])), ("intake", "queued"));
            assert_eq!((text_of(&job["class"]), text_of(&job["library"])), ("look", "main"));
            seen.push(text_of(&job["resource"]).to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/jobs?per_page=2&after={next}");
    }
    assert_eq!(seen, ids);
    admin.get("/api/jobs?state=lost").await.expect(422);
    app.nobody().get("/api/jobs").await.expect(401);
    app.person("lin", &[]).await.get("/api/jobs").await.expect(403);
    admin.send(Method::POST, "/api/jobs", &Value::Null).await.expect(405);

    app.ran(&["jobs", "priority", &ids[4], "-5"]);
    assert_ne!(app.run(&["jobs", "priority", &ResourceId::fresh().to_string(), "1"]).code, 0);
    let line = app.ran(&["jobs", "--json", "--state", "queued", "--resource", &ids[4]]);
    let job: Value = serde_json::from_str(&line).expect("an object a line");
    assert_eq!((&job["priority"], text_of(&job["title"])), (&(-5).into(), "图 4"));
    assert_eq!(app.ran(&["jobs"]).lines().count(), 5);
    assert_eq!(app.ran(&["jobs", "--state", "done"]), "");
}
