//! Where administration begins.

use maud::html;

use super::super::Shell;
use super::{Notice, frame};
use maud::Markup;

/// What the caller may do, and how much there is of it.
#[derive(Clone, Debug, Default)]
pub struct AdminView {
    /// Looks after the whole net.
    pub whole: bool,
    /// Looks after organisations somewhere.
    pub has_organisations: bool,
    /// People whom the caller looks after.
    pub people: i64,
    /// Libraries that the caller looks after.
    pub libraries: usize,
    /// Organisations that the caller looks after, open ones.
    pub organisations: usize,
    /// Jobs that failed.
    pub failed_jobs: Option<i64>,
}

/// The start page.
#[must_use]
pub fn admin(shell: &Shell, view: &AdminView) -> Markup {
    let tile = |href: &str, name: &str, count: Option<String>, words: &str| {
        html! {
            li {
                a.admin-tile href=(href) {
                    strong { (name) @if let Some(count) = count { span.number { (count) } } }
                    span { (words) }
                }
            }
        }
    };
    let body = html! {
        ul.admin-tiles {
            @if view.has_organisations {
                (tile("/admin/organisations", shell.pick("机构", "Organisations"), Some(view.organisations.to_string()),
                    shell.pick("机构的上下级、名称、联系方式；移动、合并、关闭", "The tree: names, contacts; move, merge, close")))
            }
            (tile("/admin/people", shell.pick("人员", "People"), Some(view.people.to_string()),
                shell.pick("查找、新增、导入人员；角色、重置密码、停用", "Find, add, import; roles, passwords, disable")))
            (tile("/admin/teams", shell.pick("小组", "Teams"), None,
                shell.pick("一组人，一起获得角色", "People who get roles together")))
            (tile("/admin/invitations", shell.pick("邀请", "Invitations"), None,
                shell.pick("发一个链接，对方打开就能加入", "A link that brings somebody a role")))
            (tile("/admin/grants", shell.pick("角色", "Roles"), None,
                shell.pick("谁在哪里有什么角色；收回", "Who has which role where; take it away")))
            (tile("/admin/tokens", shell.pick("令牌", "Tokens"), None,
                shell.pick("程序代人登录用的令牌；作废", "What programs log in with; revoke")))
            (tile("/admin/libraries", shell.pick("资源库", "Libraries"), Some(view.libraries.to_string()),
                shell.pick("新建、设置、移交；空间用了多少、还够用多久", "Make, set, give; room used and for how long it lasts")))
            (tile("/admin/duplicates", shell.pick("重复资源", "Duplicates"), None,
                shell.pick("同样的文件、视频和文字出现在哪些地方", "The same files, videos and texts in several places")))
            @if view.whole {
                (tile("/admin/jobs", shell.pick("后台任务", "Jobs"), view.failed_jobs.map(|n| n.to_string()),
                    shell.pick("正在处理什么，为什么在等，失败的重新处理", "What is being processed, why it waits; again after a failure")))
                (tile("/admin/audit", shell.pick("操作记录", "Log of changes"), None,
                    shell.pick("谁在什么时候改了什么；导出、核对是否完整", "Who changed what and when; export, verify")))
                (tile("/admin/sources", shell.pick("来源库", "Sources"), None,
                    shell.pick("从别的资源库收割条目，同在一个搜索里", "Records harvested from other repositories, in the same search")))
                (tile("/admin/search", shell.pick("搜索词典", "Words of the search"), None,
                    shell.pick("本地词语和同义词", "Local words and synonyms")))
            }
        }
    };
    frame(shell, shell.pick("管理", "Administration"), &[], &Notice::default(), &body)
}
