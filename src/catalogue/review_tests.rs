use proptest::prelude::*;

use super::*;
use crate::catalogue::resource::tests::resource;
use crate::catalogue::{
    Account, Caller, Deciders, Level, MAX_STEPS, NetRole, Organisation, Role, Roles, TeamId,
};

fn chain(steps: usize) -> Chain {
    let who = Deciders::At { level: None, role: Role::Reviewer };
    Chain((0..steps).map(|n| Step { name: format!("{n}"), who, days: 3 }).collect())
}

fn decision(step: usize, verdict: Verdict) -> Decision {
    Decision {
        step,
        verdict,
        reason: "好".into(),
        account: AccountId::fresh(),
        at_ms: 7,
        appealed: false,
    }
}

fn hand_in(resource: Resource, chain: &Chain) -> (Resource, Review) {
    let snapshot = Snapshot::of(&resource, &[]);
    Review::hand_in(resource, chain, 1, snapshot, AccountId::fresh(), 0).expect("it can be")
}

#[test]
fn a_chain_is_kept_as_it_is_and_wrong_ones_are_refused() {
    let city = Organisation::new(None, Level::City, "市", 0).expect("a city");
    let at = |level, role| Deciders::At { level, role };
    let step = |name: &str, who, days| Step { name: name.into(), who, days };
    let good = Chain(vec![
        step(" 库 ", at(None, Role::Librarian), 3),
        step("市", at(Some(Level::City), Role::Reviewer), 7),
        step("人", Deciders::Account(AccountId::fresh()), 1),
        step("组", Deciders::Team(TeamId::fresh()), 1),
    ]);
    let good = good.checked(std::slice::from_ref(&city)).expect("a chain");
    let text = serde_json::to_string(&good).expect("JSON");
    assert!(
        text.contains(
            r#"{"name":"库","who":{"at":{"level":"library","role":"librarian"}},"days":3}"#
        ),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Chain>(&text).expect("JSON"), good);
    let one = |name: &str, who, days| Chain(vec![step(name, who, days)]);
    let library = at(None, Role::Reviewer);
    for wrong in [
        one("", library, 3),
        one("a", library, 0),
        one("a", library, 400),
        one("a", at(None, Role::Author), 3),
        one("a", at(Some(Level::Township), Role::Reviewer), 3),
        Chain(vec![step("a", library, 3), step("a", library, 3)]),
        chain(MAX_STEPS + 1),
    ] {
        assert!(wrong.clone().checked(std::slice::from_ref(&city)).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_step_is_for_those_of_its_level_and_above() {
    let city = Organisation::new(None, Level::City, "市", 0).expect("a city");
    let east = Organisation::new(Some(&city), Level::District, "东", 0).expect("a district");
    let town = Organisation::new(Some(&east), Level::Township, "镇", 0).expect("a township");
    let path = [city.clone(), east.clone(), town.clone()];
    let library = LibraryId::fresh();
    let step = |level, role| Step { name: "a".into(), who: Deciders::At { level, role }, days: 1 };
    let with = |at: &Organisation, role| {
        let mut account = Account::new("lin", "林", NetRole::Learner);
        account.organisations.insert(at.id, Roles::NONE.with(role));
        Caller(Some(account))
    };
    let decides = |caller: &Caller, step: &Step| step.is_for(caller, library, &path, &[]);
    let township = step(Some(Level::Township), Role::Reviewer);
    assert!(decides(&with(&town, Role::Reviewer), &township));
    assert!(decides(&with(&city, Role::Librarian), &township));
    let waits = |caller: &Caller, step: &Step| step.waits_for(caller, library, &path, &[]);
    assert!(waits(&with(&town, Role::Reviewer), &township));
    assert!(!waits(&with(&city, Role::Librarian), &township), "not theirs to do");
    assert!(!decides(&with(&town, Role::Author), &township));
    let district = step(Some(Level::District), Role::Administrator);
    assert!(!decides(&with(&town, Role::Administrator), &district));
    assert!(!decides(&with(&east, Role::Reviewer), &district));
    assert!(decides(&with(&east, Role::Administrator), &district));
    assert!(!decides(&Caller(None), &district));
    let net = Caller(Some(Account::new("root", "root", NetRole::Administrator)));
    assert!(decides(&net, &district));
}

#[test]
fn three_steps_make_it_public_and_each_has_its_time() {
    let (mut resource, mut review) = hand_in(resource(Stage::Ready), &chain(3));
    assert_eq!((resource.stage, review.due_ms), (Stage::Submitted, 3 * DAY_MS));
    for step in 0..3 {
        assert_eq!(review.waits_for().map(|step| step.name.clone()), Some(step.to_string()));
        let other = review.clone().decide(resource.clone(), decision(step + 1, Verdict::Accept));
        assert_eq!(other.expect_err("not its turn"), RuleError::Conflict("decided_already"));
        (resource, review) =
            review.decide(resource, decision(step, Verdict::Accept)).expect("its turn");
    }
    assert_eq!((resource.stage, resource.published_ms), (Stage::Published, Some(7)));
    assert_eq!(review.state, ReviewState::Accepted);
    assert!(!review.is_overdue(i64::MAX));
}

#[test]
fn a_return_needs_a_reason_and_an_appeal_goes_on_from_there() {
    let (resource, review) = hand_in(resource(Stage::Ready), &chain(2));
    let silent = Decision { reason: " ".into(), ..decision(0, Verdict::Return) };
    assert!(review.clone().decide(resource.clone(), silent).is_err());
    let (resource, review) =
        review.decide(resource, decision(0, Verdict::Return)).expect("returned");
    assert_eq!((resource.stage, review.state), (Stage::Ready, ReviewState::Returned));
    let (resource, review) =
        review.overrule(resource, decision(0, Verdict::Accept)).expect("overruled");
    assert_eq!((resource.stage, review.step), (Stage::Submitted, 1));
}

#[test]
fn what_is_published_stays_as_it_is_until_the_new_version_is_accepted() {
    let old = resource(Stage::Published);
    let details = Details { title: "新".into(), ..old.details.clone() };
    let snapshot = Snapshot { details, ..Snapshot::of(&old, &[]) };
    let (same, review) =
        Review::hand_in(old.clone(), &chain(1), 2, snapshot.clone(), AccountId::fresh(), 0)
            .expect("published");
    assert_eq!(same, old);
    let changes = snapshot.changes(&Snapshot::of(&old, &[]));
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].field, changes[0].after.as_str()), ("title", "新"));
    let (new, _) = review.decide(same, decision(0, Verdict::Accept)).expect("accepted");
    assert_eq!((new.stage, new.details.title.as_str()), (Stage::Published, "新"));
}

#[test]
fn captions_that_came_went_or_changed_are_told() {
    let with = |captions: &[(&str, &str)]| Snapshot {
        captions: captions.iter().map(|(n, k)| ((*n).into(), (*k).into())).collect(),
        ..Snapshot::default()
    };
    let changes = with(&[("zh", "2"), ("en", "1")]).changes(&with(&[("zh", "1"), ("ja", "1")]));
    let told: Vec<_> =
        changes.iter().map(|change| (change.before.as_str(), change.after.as_str())).collect();
    assert_eq!(told, [("zh", "zh *"), ("", "en"), ("ja", "")]);
}

/// What anybody may try, in any order and as often as they like.
#[derive(Debug, Clone, Copy)]
enum Try {
    HandIn,
    Decide { person: usize, step: usize, verdict: Verdict },
    Overrule { person: usize, verdict: Verdict },
    TakeBack,
    Withdraw,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let verdict = || prop_oneof![4 => Just(Verdict::Accept), 1 => Just(Verdict::Return)];
    let one = prop_oneof![
        3 => Just(Try::HandIn),
        9 => (0_usize..8, 0_usize..5, verdict())
            .prop_map(|(person, step, verdict)| Try::Decide { person, step, verdict }),
        1 => (0_usize..8, verdict()).prop_map(|(person, verdict)| Try::Overrule { person, verdict }),
        1 => Just(Try::TakeBack),
        1 => Just(Try::Withdraw),
    ];
    proptest::collection::vec(one, 0..80)
}

proptest! {
    /// Whatever is tried, nothing becomes public, and nothing that is public changes, before every
    /// step of its version has accepted it.
    #[test]
    fn nothing_is_published_unless_every_step_accepted(steps in 1_usize..=MAX_STEPS, tries in tries()) {
        let people: Vec<AccountId> = (0..8).map(|_| AccountId::fresh()).collect();
        let author = people[0];
        let chain = chain(steps);
        let mut resource = resource(Stage::Ready);
        let mut review: Option<Review> = None;
        let mut version = 0;
        for one in tries {
            let before = resource.clone();
            let open = review.clone().filter(|review| review.state == ReviewState::Open);
            let done = match (one, open) {
                (Try::HandIn, None) => {
                    let details = Details { title: format!("{version}"), ..resource.details.clone() };
                    let snapshot = Snapshot { details, ..Snapshot::of(&resource, &[]) };
                    version += 1;
                    Review::hand_in(resource.clone(), &chain, version, snapshot, author, 0).ok()
                }
                (Try::Decide { person, step, verdict }, Some(open)) => {
                    let decision = Decision { account: people[person], ..decision(step, verdict) };
                    open.may_be_read_by(people[person], author)
                        .and_then(|()| open.clone().decide(resource.clone(), decision))
                        .ok()
                }
                (Try::Overrule { person, verdict }, None) => review.clone().and_then(|review| {
                    let decision = Decision { account: people[person], ..decision(review.step, verdict) };
                    review.overrule(resource.clone(), decision).ok()
                }),
                (Try::TakeBack, Some(open)) => open.take_back(resource.clone(), 1).ok(),
                (Try::Withdraw, open) => resource.clone().withdraw().ok().map(|resource| {
                    // An update on its way ends with it.
                    let ended = open.map(|open| open.take_back(resource.clone(), 1).expect("open").1);
                    (resource, ended.or(review.clone()).expect("it was published by one"))
                }),
                _ => None,
            };
            let Some((after, now)) = done else { continue };
            let came_out = after.stage == Stage::Published && before.stage != Stage::Published
                || before.stage == Stage::Published && after.details != before.details;
            if came_out {
                prop_assert_eq!(now.state, ReviewState::Accepted);
                for step in 0..steps {
                    let last = now.decisions.iter().rfind(|decision| decision.step == step);
                    prop_assert_eq!(last.map(|decision| decision.verdict), Some(Verdict::Accept));
                }
            }
            prop_assert_eq!(after.published_ms.is_some(), after.stage == Stage::Published);
            let waits = after.stage == Stage::Submitted;
            prop_assert!(!waits || now.state == ReviewState::Open, "{:?}", now.state);
            (resource, review) = (after, Some(now));
        }
    }
}
