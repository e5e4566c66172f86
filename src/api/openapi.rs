//! The OpenAPI document, made from the handlers.

use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

/// Title, tags and security; paths are added by the router.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "duoku",
        description = "一网多库：一个网，许多资源库。One net over many libraries.",
        license(name = "AGPL-3.0-or-later")
    ),
    tags(
        (name = "search", description = "搜索 Search"),
        (name = "resources", description = "资源 Resources"),
        (name = "review", description = "审核 Review"),
        (name = "complaints", description = "投诉与申诉 Complaints and appeals"),
        (name = "uploads", description = "上传 Uploads (tus 1.0.0)"),
        (name = "libraries", description = "资源库 Libraries"),
        (name = "courses", description = "课程与专题 Courses and collections"),
        (name = "people", description = "人员与权限 People and rights"),
        (name = "session", description = "登录 Session"),
        (name = "operation", description = "运行 Operation")
    ),
    modifiers(&Bearer)
)]
pub(super) struct Document;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        openapi.security = Some(vec![utoipa::openapi::security::SecurityRequirement::new::<
            _,
            [String; 0],
            String,
        >("bearer", [])]);
    }
}
