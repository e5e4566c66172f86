//! Jobs in the database: one worker at a time, and only while its lease lasts.

use std::collections::HashMap;

use duoku::catalogue::{
    Account, AccountId, Details, Library, LibraryId, NetRole, Publishing, Resource, ResourceId,
    Visibility,
};
use duoku::db::jobs::{self, Job, NewJob};
use duoku::db::{self, Db};
use proptest::prelude::*;

use crate::app::Database;

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
    let account = Account {
        id: AccountId::fresh(),
        name: AccountId::fresh().to_string(),
        display_name: String::new(),
        role: NetRole::Learner,
        libraries: HashMap::new(),
    };
    let library = Library {
        id: LibraryId::fresh(),
        slug: format!("l-{}", LibraryId::fresh()).parse().expect("a slug"),
        name: String::new(),
        description: String::new(),
        visibility: Visibility::Public,
        publishing: Publishing::Manual,
        quota_bytes: None,
        created_ms: 0,
    };
    let details = Details { title: "图".into(), ..Details::default() };
    let mut resource = Resource::draft(library.id, account.id, details, 0);
    let mut tx = db.begin().await.expect("a transaction");
    db::accounts::insert(&mut tx, &account, None, 0).await.expect("inserted");
    db::libraries::insert(&mut tx, &library).await.expect("inserted");
    db::resources::insert(&mut tx, &mut resource).await.expect("inserted");
    tx.commit().await.expect("committed");
    resource.id
}

async fn push(db: &Db, resource: ResourceId, priority: i64, run_at_ms: i64) {
    let job = NewJob { kind: "probe", payload: "{}".into(), priority, weight: 1.0 };
    let mut tx = db.begin().await.expect("a transaction");
    jobs::push(&mut tx, resource, &job, run_at_ms).await.expect("pushed");
    tx.commit().await.expect("committed");
}

async fn claim(db: &Db, now_ms: i64, lease_ms: i64) -> Option<Job> {
    let mut tx = db.begin().await.expect("a transaction");
    let job = jobs::claim(&mut tx, now_ms, lease_ms).await.expect("asked");
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
    jobs::finish(&mut tx, &taken).await.expect("finished");
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
                let free = |known: &HashMap<String, Known>| {
                    known.values().any(|job| match job {
                        Known::Queued(at) => *at <= now_ms,
                        Known::Running { until_ms, .. } => *until_ms < now_ms,
                        Known::Done => false,
                    })
                };
                let fresh = pushed.iter().any(|at| *at <= now_ms);
                match claim(db, now_ms, LEASE_MS).await {
                    Some(job) => {
                        match known.get(&job.id) {
                            Some(Known::Queued(at)) => prop_assert!(*at <= now_ms),
                            Some(Known::Running { until_ms, .. }) => {
                                prop_assert!(*until_ms < now_ms);
                            }
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
                    jobs::finish(&mut tx, &job).await.expect("finished");
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
