//! `duoku identity`: who people are at the providers of logins.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use super::account::find;
use super::print_line;
use crate::app::App;
use crate::db;
use crate::net::authority::Authority;
use crate::net::identities;

/// Accounts from elsewhere.
#[derive(Debug, Subcommand)]
pub(super) enum IdentityCommand {
    /// Asks each provider of the settings who it is, and prints the address to register there.
    Check,
    /// Lists the identities of an account.
    List {
        /// Login name.
        #[arg(long)]
        user: String,
    },
    /// Links an account with one of a provider.
    Link {
        /// Login name.
        #[arg(long)]
        user: String,
        /// Key of the provider.
        #[arg(long)]
        provider: String,
        /// The person's id there: `sub` of its tokens.
        #[arg(long)]
        subject: String,
    },
    /// Unlinks an identity by its id; sessions that it began end.
    Unlink {
        /// Login name.
        #[arg(long)]
        user: String,
        /// As `list` shows it.
        id: String,
    },
}

impl IdentityCommand {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let by = Authority::of_commands(app.now_ms());
        match self {
            Self::Check => return Ok(check(&app).await),
            Self::List { user } => {
                let mut tx = app.db.begin().await?;
                let account = find(&mut tx, &user).await?.id;
                for one in db::identities::list(&mut tx, account).await? {
                    let (id, provider, label) = (one.id, one.provider, one.label);
                    print_line(&format!(
                        "{id}\t{provider}\t{}\t{}\t{label}",
                        one.issuer, one.subject
                    ));
                }
            }
            Self::Link { user, provider, subject } => {
                let known = app.providers.find(&provider);
                let known = known.with_context(|| format!("there is no provider {provider:?}"))?;
                let mut tx = app.db.begin().await?;
                let account = find(&mut tx, &user).await?.id;
                let linked =
                    identities::link(&mut tx, &by, account, &known.settings, &subject).await?;
                tx.commit().await?;
                print_line(&linked.id);
            }
            Self::Unlink { user, id } => {
                let mut tx = app.db.begin().await?;
                let account = find(&mut tx, &user).await?.id;
                identities::unlink(&mut tx, &by, account, &id).await?;
                tx.commit().await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A line for each provider; fails when one does not answer.
async fn check(app: &App) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for provider in app.providers.iter() {
        let (key, back) = (&provider.settings.key, provider.redirect_uri());
        let secret = if provider.settings.client_secret.is_some() { "yes" } else { "no" };
        match Box::pin(provider.look()).await {
            Ok(told) => print_line(&format!("{key}\tok\t{back}\tsecret: {secret}\t{told}")),
            Err(error) => {
                print_line(&format!("{key}\tFAILED\t{back}\tsecret: {secret}\t{error}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
