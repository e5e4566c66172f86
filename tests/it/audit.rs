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
