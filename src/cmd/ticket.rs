//! `duoku ticket`: the key that signs tickets of media.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::print_line;
use crate::app::App;
use crate::db;
use crate::deliver::{Earlier, TicketKeys};

/// The key that signs tickets (links to media that is not public).
#[derive(Debug, Subcommand)]
pub(super) enum Ticket {
    /// Makes a new key. The earlier ones admit what they signed until it ends.
    Rotate {
        /// Forget the earlier keys, because one was stolen: all tickets end within ten seconds.
        #[arg(long)]
        drop_earlier: bool,
    },
}

impl Ticket {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let Self::Rotate { drop_earlier } = self;
        let earlier = if drop_earlier { Earlier::Drop } else { Earlier::Admit };
        let now_s = app.now_ms() / 1000;
        let mut tx = app.db.begin().await?;
        let signs_from_s = TicketKeys::rotate(&mut tx, now_s, earlier).await?;
        let detail = json!({ "drop_earlier": drop_earlier });
        db::audit::record(&mut tx, app.now_ms(), None, "rotate-ticket-key", "tickets", &detail)
            .await?;
        tx.commit().await?;
        let wait_s = signs_from_s - now_s;
        print_line(&match earlier {
            Earlier::Admit => format!(
                "{wait_s} 秒后启用新密钥，已发出的链接在到期前仍然有效 \
                 The new key signs in {wait_s} s; links that are out hold until they end"
            ),
            Earlier::Drop => "旧密钥已作废，已发出的链接在 10 秒内失效 \
                 The earlier keys are gone; links that are out end within 10 s"
                .to_owned(),
        });
        Ok(ExitCode::SUCCESS)
    }
}
