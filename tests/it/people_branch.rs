//! Random trees, grants and people: nobody ever sees a row, or a count, of somebody else's branch.

use std::collections::BTreeSet;

use duoku::catalogue::{
    AccountId, Caller, Level, Library, LibraryId, Organisation, Person, Role, TeamId,
};
use duoku::db::grants::{Grantee, Scope};
use duoku::db::invitations::Invitation;
use duoku::db::people::{Filter, Viewer};
use duoku::db::teams::Team;
use duoku::db::{self, Tx};

use crate::app::TestApp;
use crate::dice::Dice;

/// When all of it is looked at.
const NOW_MS: i64 = 1000;

/// Every row of a list.
const ALL: (i64, i64) = (0, 1000);

/// What was made, as a model that knows nothing of SQL.
#[derive(Default)]
struct Net {
    organisations: Vec<Organisation>,
    libraries: Vec<Library>,
    people: Vec<Person>,
    teams: Vec<(Team, Vec<AccountId>)>,
    grants: Vec<(String, Grantee, Role, Scope, Option<i64>)>,
    invitations: Vec<Invitation>,
}

impl Net {
    async fn make(tx: &mut Tx, dice: &mut Dice, tag: usize) -> Self {
        let mut net = Self::default();
        for number in 0..2 + dice.below(8) {
            let parent = (number > 0 && dice.below(6) > 0)
                .then(|| dice.one(&net.organisations).clone())
                .filter(|parent| parent.level < Level::Community);
            let level = parent.as_ref().map_or(Level::City, |parent| {
                Level::ALL.into_iter().find(|level| *level > parent.level).expect("below")
            });
            let name = format!("机构{tag}-{number}");
            let one = Organisation::new(parent.as_ref(), level, &name, 0).expect("an organisation");
            db::organisations::insert(tx, &one).await.expect("inserted");
            net.organisations.push(one);
        }
        for number in 0..dice.below(6) {
            let slug = format!("l{tag}-{number}").parse().expect("a slug");
            let mut one = Library::new(slug, "库", 0);
            one.owner = (dice.below(4) > 0).then(|| dice.one(&net.organisations).id);
            db::libraries::insert(tx, &one).await.expect("inserted");
            net.libraries.push(one);
        }
        for number in 0..3 + dice.below(8) {
            let mut one = Person::new(&format!("p{tag}-{number}"), "人", 0).expect("a person");
            one.home = (dice.below(4) > 0).then(|| dice.one(&net.organisations).id);
            db::people::insert(tx, &one).await.expect("inserted");
            net.people.push(one);
        }
        for _ in 0..dice.below(4) {
            let organisation = (dice.below(4) > 0).then(|| dice.one(&net.organisations).id);
            let mut team =
                Team { id: TeamId::fresh(), name: "组".into(), organisation, members: 0 };
            db::teams::insert(tx, &team, 0).await.expect("inserted");
            let mut members = Vec::new();
            for person in &net.people {
                if dice.below(4) == 0 {
                    db::teams::join(tx, team.id, person.id).await.expect("joined");
                    members.push(person.id);
                }
            }
            team.members = members.len() as i64;
            net.teams.push((team, members));
        }
        for _ in 0..dice.below(14) {
            let to = match dice.below(4) {
                0 if !net.teams.is_empty() => Grantee::Team(dice.one(&net.teams).0.id),
                _ => Grantee::Account(dice.one(&net.people).id),
            };
            let (role, on) = (*dice.one(&Role::ALL), net.place(dice));
            let same = |(_, other, r, o, _): &(_, Grantee, Role, Scope, _)| {
                *other == to && *r == role && *o == on
            };
            if net.grants.iter().any(same) {
                continue;
            }
            // Some have ended.
            let ends_ms = *dice.one(&[None, None, None, Some(NOW_MS), Some(NOW_MS + 1)]);
            let id = db::grants::grant(tx, to, role, on, 0, ends_ms).await.expect("granted");
            net.grants.push((id, to, role, on, ends_ms));
        }
        for number in 0..dice.below(4) {
            let one = Invitation {
                id: TeamId::fresh().to_string(),
                role: Role::Author,
                on: net.place(dice),
                note: String::new(),
                uses: 1,
                uses_left: 1,
                made_by: dice.one(&net.people).id,
                created_ms: 0,
                expires_ms: NOW_MS,
                revoked_ms: None,
            };
            let code = format!("{tag}-{number}");
            db::invitations::insert(tx, &one, &code).await.expect("inserted");
            net.invitations.push(one);
        }
        net
    }

    fn place(&self, dice: &mut Dice) -> Scope {
        if !self.libraries.is_empty() && dice.below(2) == 0 {
            Scope::Library(dice.one(&self.libraries).id)
        } else {
            Scope::Organisation(dice.one(&self.organisations).id)
        }
    }

    /// The rule in one sentence: who is an administrator or librarian there, or above.
    fn is_ours(&self, caller: &Caller, on: Scope) -> bool {
        match on {
            Scope::Library(id) => caller.roles_in(id).manages(),
            Scope::Organisation(id) => {
                let found = self.organisations.iter().find(|one| one.id == id);
                caller.roles_at(found.expect("made above")).manages()
            }
        }
    }

    fn live(&self) -> impl Iterator<Item = &(String, Grantee, Role, Scope, Option<i64>)> {
        self.grants.iter().filter(|(.., ends_ms)| ends_ms.is_none_or(|ends_ms| ends_ms > NOW_MS))
    }

    fn our_teams(&self, caller: &Caller) -> BTreeSet<String> {
        let granted = |id| {
            self.live()
                .any(|(_, to, _, on, _)| *to == Grantee::Team(id) && self.is_ours(caller, *on))
        };
        let ours = |team: &Team| {
            team.organisation.is_some_and(|id| self.is_ours(caller, Scope::Organisation(id)))
                || granted(team.id)
        };
        let teams = self.teams.iter().filter(|(team, _)| ours(team));
        teams.map(|(team, _)| team.id.to_string()).collect()
    }

    fn our_people(&self, caller: &Caller) -> BTreeSet<String> {
        let teams = self.our_teams(caller);
        let ours = |person: &Person| {
            let granted = self.live().any(|(_, to, _, on, _)| {
                *to == Grantee::Account(person.id) && self.is_ours(caller, *on)
            });
            let in_team = self.teams.iter().any(|(team, members)| {
                teams.contains(&team.id.to_string()) && members.contains(&person.id)
            });
            person.home.is_some_and(|id| self.is_ours(caller, Scope::Organisation(id)))
                || granted
                || in_team
        };
        self.people.iter().filter(|one| ours(one)).map(|one| one.id.to_string()).collect()
    }
}

fn ids<T>(of: &[T], id: impl Fn(&T) -> String) -> BTreeSet<String> {
    of.iter().map(id).collect()
}

#[tokio::test]
async fn never_a_row_or_a_count_of_somebody_else_s_branch() {
    let app = TestApp::stopped(&[]);
    let db = app.db().await;
    let mut dice = Dice::new(20_261_126);
    let (mut seen, mut hidden) = (0, 0);
    for tag in 0..60 {
        let mut tx = db.begin().await.expect("a transaction");
        let net = Net::make(&mut tx, &mut dice, tag).await;
        for person in &net.people {
            let account = db::accounts::find(&mut tx, person.id, NOW_MS).await.expect("read");
            let caller = Caller(Some(account.expect("there")));
            let viewer = Viewer { account: Some(person.id), whole: false, now_ms: NOW_MS };
            let of = Filter::default();
            let (count, found) = db::people::list(&mut tx, &viewer, &of, ALL).await.expect("read");
            let ours = net.our_people(&caller);
            assert_eq!(ids(&found, |one| one.id.to_string()), ours, "people, case {tag}");
            assert_eq!(count, ours.len() as i64, "the count, case {tag}");
            seen += ours.len();
            hidden += net.people.len() - ours.len();
            for other in &net.people {
                let found = db::people::find(&mut tx, &viewer, other.id).await.expect("read");
                assert_eq!(found.is_some(), ours.contains(&other.id.to_string()), "case {tag}");
            }
            // Every narrower list is within.
            for one in &net.organisations {
                let of = Filter { organisation: Some(one.id), ..Filter::default() };
                let (count, found) =
                    db::people::list(&mut tx, &viewer, &of, ALL).await.expect("read");
                assert_eq!(count, found.len() as i64);
                assert!(ids(&found, |one| one.id.to_string()).is_subset(&ours), "case {tag}");
            }
            for (team, members) in &net.teams {
                let of = Filter { team: Some(team.id), ..Filter::default() };
                let (count, _) = db::people::list(&mut tx, &viewer, &of, ALL).await.expect("read");
                let is_ours = net.our_teams(&caller).contains(&team.id.to_string());
                let expected = if is_ours { members.len() as i64 } else { 0 };
                assert_eq!(count, expected, "members of a team, case {tag}");
            }

            let found = db::teams::list(&mut tx, &viewer, None, ALL).await.expect("read").1;
            assert_eq!(ids(&found, |one| one.id.to_string()), net.our_teams(&caller), "case {tag}");
            let of = db::granted::Filter::default();
            let found = db::granted::list(&mut tx, &viewer, &of, ALL).await.expect("read");
            let count = db::granted::count(&mut tx, &viewer, &of).await.expect("read");
            assert_eq!(count, found.len() as i64, "the count of grants, case {tag}");
            let ours = net.live().filter(|(_, _, _, on, _)| net.is_ours(&caller, *on));
            let ours: BTreeSet<String> = ours.map(|(id, ..)| id.clone()).collect();
            assert_eq!(ids(&found, |one| one.id.clone()), ours, "grants, case {tag}");
            let found = db::invitations::list(&mut tx, &viewer, None, ALL).await.expect("read").1;
            let ours = net.invitations.iter().filter(|one| net.is_ours(&caller, one.on));
            let ours: BTreeSet<String> = ours.map(|one| one.id.clone()).collect();
            assert_eq!(ids(&found, |one| one.id.clone()), ours, "invitations, case {tag}");
            let found = db::people::libraries(&mut tx, &viewer).await.expect("read");
            let ours = net.libraries.iter().filter(|one| caller.roles_in(one.id).manages());
            let ours: BTreeSet<LibraryId> = ours.map(|one| one.id).collect();
            assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), ours, "libraries, case {tag}");
        }
        // What the net's administrators see is all of it; the next case begins anew.
        let viewer = Viewer { account: None, whole: true, now_ms: NOW_MS };
        let (count, _) =
            db::people::list(&mut tx, &viewer, &Filter::default(), (0, 1)).await.expect("read");
        assert_eq!(count, net.people.len() as i64);
    }
    assert!(seen > 100 && hidden > 1000, "{seen} were seen and {hidden} not");
    db.close().await;
}
