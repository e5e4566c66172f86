//! `duoku user` and `duoku token`, and the first administrator.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{eprint_line, people, print_line};
use crate::api::{SETUP, fresh_token, hash_password, token_hash};
use crate::app::App;
use crate::catalogue::{
    Account, Library, NetRole, Organisation, Publishing, Role, TokenScopes, login_name,
};
use crate::db;
use crate::db::grants::{Grantee, Scope};
use crate::net::grants::described;
use crate::net::organisations::{self, Actor};

/// Shortest password that is taken, in characters.
const MIN_PASSWORD: usize = 8;

/// Accounts.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Adds an account. The password is read from standard input unless it is given.
    Add {
        /// Login name.
        #[arg(required_unless_present = "from")]
        name: Option<String>,
        /// Takes all people of a table instead (CSV: name, `display_name`, phone, email, organisation,
        /// role, library), all or none. They have no passwords.
        #[arg(long, conflicts_with_all = ["name", "display_name", "password", "administrator"])]
        from: Option<PathBuf>,
        /// Where to write a link for each new person of the table, with which they choose a
        /// password, once (CSV: name, `display_name`, link).
        #[arg(long, requires = "from")]
        links: Option<PathBuf>,
        /// Says what the table would do, and does nothing.
        #[arg(long, requires = "from")]
        dry_run: bool,
        /// Name shown to people.
        #[arg(long)]
        display_name: Option<String>,
        /// At least 8 characters.
        #[arg(long)]
        password: Option<String>,
        /// Administers the whole net.
        #[arg(long)]
        administrator: bool,
    },
    /// Lists accounts and their roles.
    List,
    /// Sets a password; ends the account's sessions and revokes its API tokens.
    Password {
        /// Login name.
        name: String,
        /// Leaves API tokens as they are.
        #[arg(long)]
        keep_tokens: bool,
        /// Read from standard input unless it is given.
        #[arg(long)]
        password: Option<String>,
    },
    /// Gives a role in a library, or in all libraries of an organisation and below.
    Grant {
        /// Login name.
        name: String,
        /// Where.
        #[command(flatten)]
        place: Place,
        /// learner, teacher, author, reviewer, librarian or administrator.
        #[arg(long)]
        role: Role,
    },
    /// Takes a role away, or all that they have there.
    Revoke {
        /// Login name.
        name: String,
        /// Where.
        #[command(flatten)]
        place: Place,
        /// Which; all when left out.
        #[arg(long)]
        role: Option<Role>,
    },
    /// Keeps an account from logging in.
    Disable {
        /// Login name.
        name: String,
    },
    /// Lets an account log in again.
    Enable {
        /// Login name.
        name: String,
    },
}

/// Where a role is granted.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Place {
    /// Slug.
    #[arg(long)]
    library: Option<String>,
    /// Code or id.
    #[arg(long)]
    organisation: Option<String>,
}

impl Place {
    async fn scope(self, tx: &mut db::Tx) -> anyhow::Result<Scope> {
        match (self.library, self.organisation) {
            (Some(slug), _) => Ok(Scope::Library(find_library(tx, &slug).await?.id)),
            (None, Some(text)) => {
                Ok(Scope::Organisation(organisations::named(tx, &text).await?.id))
            }
            (None, None) => bail!("--library or --organisation is needed"),
        }
    }
}

/// API tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Prints a new bearer token for an account. It is shown only now.
    Create {
        /// Login name.
        #[arg(long)]
        user: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        label: String,
        /// What it may be used for: read, upload, manage.
        #[arg(long, default_value = "read,upload,manage")]
        scopes: TokenScopes,
        /// Ends after so many days.
        #[arg(long)]
        days: Option<i64>,
    },
    /// Lists the tokens of an account.
    List {
        /// Login name.
        #[arg(long)]
        user: String,
    },
    /// Revokes a token by its id.
    Revoke {
        /// As `list` shows it.
        id: String,
    },
}

impl User {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let now_ms = app.now_ms();
        let by = Actor { account: None, now_ms };
        if let Self::Add { from: Some(from), links, dry_run, .. } = &self {
            return people::take(&app, from, links.as_deref(), *dry_run).await;
        }
        // Before the transaction begins: others cannot write while somebody types.
        let hash = match &self {
            Self::Add { password, .. } | Self::Password { password, .. } => {
                hashed(password.clone())?
            }
            _ => String::new(),
        };
        let mut tx = app.db.begin().await?;
        match self {
            Self::Add { name, display_name, administrator, .. } => {
                let name = name.unwrap_or_default();
                let role = if administrator { NetRole::Administrator } else { NetRole::Learner };
                let account = account(&name, display_name, role)?;
                db::accounts::insert(&mut tx, &account, Some(&hash), now_ms).await.map_err(
                    |error| {
                        if error.is_taken() {
                            anyhow::anyhow!("the name {name:?} is taken")
                        } else {
                            error.into()
                        }
                    },
                )?;
                let detail = json!({ "name": account.name });
                by.record(&mut tx, "add-person", &account.id.to_string(), &detail).await?;
            }
            Self::List => {
                let libraries = db::libraries::list(&mut tx).await?;
                let organisations = db::organisations::list(&mut tx).await?;
                for account in db::accounts::list(&mut tx, now_ms).await? {
                    let grants = db::grants::list_of(&mut tx, Grantee::Account(account.id)).await?;
                    print_line(&describe(&account, &grants, &libraries, &organisations));
                }
            }
            Self::Password { name, keep_tokens, .. } => {
                let account = find(&mut tx, &name).await?;
                db::accounts::set_password(&mut tx, account.id, &hash).await?;
                if account.name == "admin" {
                    db::settings::delete(&mut tx, SETUP).await?;
                }
                if !keep_tokens {
                    db::tokens::delete_all(&mut tx, account.id).await?;
                }
                let id = account.id.to_string();
                by.record(&mut tx, "change-password", &id, &json!({})).await?;
            }
            Self::Grant { name, place, role } => {
                let id = find(&mut tx, &name).await?.id;
                let scope = place.scope(&mut tx).await?;
                db::grants::grant(&mut tx, Grantee::Account(id), role, scope, now_ms, None).await?;
                let detail = described(role, scope);
                by.record(&mut tx, "grant", &id.to_string(), &detail).await?;
            }
            Self::Revoke { name, place, role } => {
                let id = find(&mut tx, &name).await?.id;
                let scope = place.scope(&mut tx).await?;
                db::grants::revoke(&mut tx, Grantee::Account(id), role, scope).await?;
                let mut detail = described(role.unwrap_or(Role::Learner), scope);
                detail["role"] = json!(role.map(Role::as_str));
                by.record(&mut tx, "revoke", &id.to_string(), &detail).await?;
            }
            Self::Disable { name } => {
                let id = find(&mut tx, &name).await?.id;
                db::accounts::set_disabled(&mut tx, id, Some(now_ms)).await?;
                db::sessions::delete_all(&mut tx, id, None).await?;
                by.record(&mut tx, "disable-person", &id.to_string(), &json!({})).await?;
            }
            Self::Enable { name } => {
                let id = find(&mut tx, &name).await?.id;
                db::accounts::set_disabled(&mut tx, id, None).await?;
                by.record(&mut tx, "enable-person", &id.to_string(), &json!({})).await?;
            }
        }
        tx.commit().await?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Token {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let now_ms = app.now_ms();
        let by = Actor { account: None, now_ms };
        let mut tx = app.db.begin().await?;
        match self {
            Self::Create { user, label, scopes, days } => {
                let account = find(&mut tx, &user).await?.id;
                let token = fresh_token()?;
                let expires_ms = days.map(|days| now_ms + days * 86_400_000);
                let hash = token_hash(&token);
                let id =
                    db::tokens::insert(&mut tx, &hash, account, &label, scopes, now_ms, expires_ms)
                        .await?;
                let detail = json!({ "user": user, "scopes": scopes.to_string() });
                by.record(&mut tx, "make-token", &id, &detail).await?;
                print_line(&token);
            }
            Self::List { user } => {
                let account = find(&mut tx, &user).await?.id;
                for token in db::tokens::list(&mut tx, account).await? {
                    let ends = token.expires_ms.map_or("-".to_owned(), day);
                    let (id, made) = (token.id, day(token.created_ms));
                    print_line(&format!("{id}\t{made}\t{ends}\t{}\t{}", token.scopes, token.label));
                }
            }
            Self::Revoke { id } => {
                if db::tokens::delete(&mut tx, &id, None).await?.is_none() {
                    bail!("there is no token {id:?}");
                }
                by.record(&mut tx, "revoke-token", &id, &json!({})).await?;
            }
        }
        tx.commit().await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Makes the library `main` and the account `admin` where there are none.
pub(super) async fn first_start(app: &App) -> anyhow::Result<()> {
    let mut tx = app.db.begin().await?;
    if db::libraries::find_by_slug(&mut tx, "main").await?.is_none() {
        let library = Library {
            description: "安装时自带的公共资源库，上传处理完成后即公开。".into(),
            publishing: Publishing::Automatic,
            ..Library::new("main".parse()?, "主资源库", app.now_ms())
        };
        db::libraries::insert(&mut tx, &library).await?;
    }
    if db::accounts::count(&mut tx).await? == 0 {
        let given = std::env::var("DUOKU_ADMIN_PASSWORD").ok().filter(|given| !given.is_empty());
        let hash = given.map(|given| hashed(Some(given))).transpose()?;
        let admin = account("admin", Some("管理员".into()), NetRole::Administrator)?;
        db::accounts::insert(&mut tx, &admin, hash.as_deref(), app.now_ms()).await?;
        if hash.is_none() {
            db::settings::get_or_set(&mut tx, SETUP, &fresh_token()?).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Where `admin` chooses a password, until that was done.
pub(super) async fn setup_path(app: &App) -> anyhow::Result<Option<String>> {
    let token = db::settings::find(&mut *app.db.read().await?, SETUP).await?;
    Ok(token.map(|token| format!("/setup/{token}")))
}

/// The account called `name`, which must be there.
pub(super) async fn find(tx: &mut db::Tx, name: &str) -> anyhow::Result<Account> {
    db::accounts::find_by_name(tx, &name.to_lowercase(), i64::MAX)
        .await?
        .with_context(|| format!("there is no account {name:?}"))
}

/// The library called `slug`, which must be there.
pub(super) async fn find_library(tx: &mut db::Tx, slug: &str) -> anyhow::Result<Library> {
    db::libraries::find_by_slug(tx, slug)
        .await?
        .with_context(|| format!("there is no library {slug:?}"))
}

fn account(name: &str, display_name: Option<String>, role: NetRole) -> anyhow::Result<Account> {
    let name = login_name(name).with_context(|| {
        format!("{name:?} cannot be a login name: 1 to 64 characters without spaces")
    })?;
    Ok(Account::new(&name, display_name.as_deref().unwrap_or(&name), role))
}

fn hashed(password: Option<String>) -> anyhow::Result<String> {
    let password = match password {
        Some(password) => password,
        None => {
            eprint_line("密码 Password:");
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    if password.chars().count() < MIN_PASSWORD {
        bail!("a password needs at least {MIN_PASSWORD} characters");
    }
    hash_password(&password).map_err(|error| anyhow::anyhow!("{error}"))
}

fn describe(
    account: &Account,
    grants: &[db::grants::Grant],
    libraries: &[Library],
    organisations: &[Organisation],
) -> String {
    let mut roles = Vec::new();
    if account.role == NetRole::Administrator {
        roles.push("administrator".to_owned());
    }
    for grant in grants {
        let place = match grant.on {
            Scope::Library(id) => libraries
                .iter()
                .find(|library| library.id == id)
                .map_or("?", |library| library.slug.as_str()),
            Scope::Organisation(id) => organisations
                .iter()
                .find(|organisation| organisation.id == id)
                .map_or("?", |organisation| organisation.name.as_str()),
        };
        roles.push(format!("{} of {place}", grant.role));
    }
    format!("{}\t{}\t{}", account.name, account.display_name, roles.join(", "))
}

fn day(unix_ms: i64) -> String {
    let text = jiff::Timestamp::from_millisecond(unix_ms).map(|time| time.to_string());
    text.unwrap_or_default().chars().take(10).collect()
}
