//! Sections and lessons of courses.

use sqlx::AnyConnection;

use super::{Error, Result, parse};
use crate::catalogue::{Contents, CourseId, Lesson, Section};

/// Id, number of the section, resource, own title, title of the resource when it was taken in.
type Row = (String, i64, String, String, String);

/// What is in the course `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn contents(db: &mut AnyConnection, id: CourseId) -> Result<Contents> {
    let titles: Vec<String> =
        sqlx::query_scalar("SELECT title FROM section WHERE course = $1 ORDER BY number")
            .bind(id.to_string())
            .fetch_all(&mut *db)
            .await?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, section, resource, title, was FROM lesson WHERE course = $1 ORDER BY number",
    )
    .bind(id.to_string())
    .fetch_all(db)
    .await?;
    let section = |title| Section { title, lessons: Vec::new() };
    let mut sections: Vec<Section> = titles.into_iter().map(section).collect();
    for (id, number, resource, title, was) in rows {
        let section = usize::try_from(number).ok().and_then(|number| sections.get_mut(number));
        let wrong = || Error::Row { what: "lesson.section", value: number.to_string() };
        section.ok_or_else(wrong)?.lessons.push(Lesson {
            id: parse("lesson.id", &id)?,
            resource: parse("lesson.resource", &resource)?,
            title,
            was,
        });
    }
    Contents::of(sections, usize::MAX)
        .map_err(|rule| Error::Row { what: "lesson", value: rule.to_string() })
}

/// Puts `contents` in the place of what is in the course `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn set(db: &mut AnyConnection, id: CourseId, contents: &Contents) -> Result<()> {
    for table in ["section", "lesson"] {
        let statement = format!("DELETE FROM {table} WHERE course = $1");
        sqlx::query(sqlx::AssertSqlSafe(statement)).bind(id.to_string()).execute(&mut *db).await?;
    }
    for (number, section) in (0_i64..).zip(contents.sections()) {
        sqlx::query("INSERT INTO section (course, number, title) VALUES ($1, $2, $3)")
            .bind(id.to_string())
            .bind(number)
            .bind(&section.title)
            .execute(&mut *db)
            .await?;
    }
    for (number, (section, lesson)) in (1_i64..).zip(contents.lessons()) {
        sqlx::query(
            "INSERT INTO lesson (id, course, number, section, resource, title, was)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(lesson.id.to_string())
        .bind(id.to_string())
        .bind(number)
        .bind(i64::try_from(section).unwrap_or(i64::MAX))
        .bind(lesson.resource.to_string())
        .bind(&lesson.title)
        .bind(&lesson.was)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}
