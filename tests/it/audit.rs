//! The log of all changes: one row each, and a chain that shows what was done to it.

use crate::app::TestApp;
use crate::fixture;

#[tokio::test]
async fn what_was_changed_is_in_the_log_and_the_log_shows_tampering() {
    let app = TestApp::start();
    let admin = app.admin().await;
    let id = admin.upload("p.bmp", "图", &fixture::picture(1)).await;
    admin.settled(&id).await;
    for action in ["withdraw", "publish", "withdraw"] {
        assert_eq!(admin.post(&format!("/api/resources/{id}/{action}")).await.status, 200);
    }
    let noted = app.ran(&["audit", "verify"]).trim().to_owned();
    let rows = app.ran(&["audit", "export"]);
    let actions: Vec<String> = rows
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .filter(|row| row["subject"] == id.as_str())
        .map(|row| row["action"].as_str().expect("text").to_owned())
        .collect();
    assert_eq!(actions, ["upload", "process", "withdraw", "publish", "withdraw"]);

    let db = app.db().await;
    let last: i64 = noted.split(':').next().expect("a number").parse().expect("a number");
    let middle = last - 2;
    for (done, undone, says) in [
        (
            "UPDATE audit SET action = 'edit' WHERE number = $1",
            "UPDATE audit SET action = 'withdraw' WHERE number = $1",
            "not what was written",
        ),
        (
            "UPDATE audit SET number = -number WHERE number = $1",
            "UPDATE audit SET number = -number WHERE number = -$1",
            "is not there",
        ),
        (
            "UPDATE counter SET value = value + 1 WHERE name = 'audit' AND $1 = $1",
            "UPDATE counter SET value = value - 1 WHERE name = 'audit' AND $1 = $1",
            "ends with row",
        ),
    ] {
        let run = async |statement: &str, number: i64| {
            let mut tx = db.begin().await.expect("a transaction");
            let done = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
                .bind(number)
                .execute(&mut *tx)
                .await
                .expect("done");
            assert_eq!(done.rows_affected(), 1);
            tx.commit().await.expect("committed");
        };
        run(done, middle).await;
        let said = app.run(&["audit", "verify"]);
        assert_eq!(said.code, 1, "{done}");
        assert!(said.err.contains(says), "{}", said.err);
        run(undone, middle).await;
        assert_eq!(app.ran(&["audit", "verify"]).trim(), noted);
    }
    // Who may write everything can cut the end off: what was noted elsewhere tells.
    let mut tx = db.begin().await.expect("a transaction");
    for statement in [
        "DELETE FROM audit WHERE number = (SELECT value FROM counter WHERE name = 'audit')",
        "UPDATE counter SET value = value - 1 WHERE name = 'audit'",
    ] {
        sqlx::query(statement).execute(&mut *tx).await.expect("done");
    }
    tx.commit().await.expect("committed");
    db.close().await;
    app.ran(&["audit", "verify"]);
    let said = app.run(&["audit", "verify", "--noted", &noted]);
    assert!(said.code == 1 && said.err.contains("ends with row"), "{said:?}");
}

/// However early something is recorded, its row is the last thing that the transaction writes:
/// others wait for the log's counter only from there on.
#[tokio::test]
async fn what_is_recorded_is_written_last() {
    let app = TestApp::start();
    let db = app.db().await;
    let last = async || {
        let mut db = db.read().await.expect("read");
        duoku::db::audit::last_number(&mut db).await.expect("read")
    };
    let before = last().await;
    let mut tx = db.begin().await.expect("a transaction");
    for action in ["one", "two"] {
        let detail = serde_json::json!({});
        duoku::db::audit::record(&mut tx, 1, None, action, "x", &detail).await.expect("noted");
        let now: i64 = sqlx::query_scalar("SELECT value FROM counter WHERE name = 'audit'")
            .fetch_one(&mut *tx)
            .await
            .expect("read");
        assert_eq!(now, before, "the counter is not locked yet");
    }
    tx.commit().await.expect("committed");
    assert_eq!(last().await, before + 2);
    let mut tx = db.begin().await.expect("a transaction");
    let detail = serde_json::json!({});
    duoku::db::audit::record(&mut tx, 1, None, "three", "x", &detail).await.expect("noted");
    drop(tx);
    assert_eq!(last().await, before + 2, "what did not happen is not told");
    db.close().await;
    app.ran(&["audit", "verify"]);
}
