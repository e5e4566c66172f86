//! What roles, levels and changes are called.

use super::super::Lang;
use crate::catalogue::{Level, Role};

/// The word for a role.
#[must_use]
pub fn role_word(lang: Lang, role: Role) -> &'static str {
    match role {
        Role::Learner => lang.pick("学员", "Learner"),
        Role::Teacher => lang.pick("教师", "Teacher"),
        Role::Author => lang.pick("作者", "Author"),
        Role::Reviewer => lang.pick("审核员", "Reviewer"),
        Role::Librarian => lang.pick("库管理员", "Librarian"),
        Role::Administrator => lang.pick("机构管理员", "Administrator"),
    }
}

/// The word for a level.
#[must_use]
pub(super) fn level_word(lang: Lang, level: Level) -> &'static str {
    match level {
        Level::City => lang.pick("市", "City"),
        Level::District => lang.pick("区县", "District or county"),
        Level::Township => lang.pick("乡镇街道", "Township or street"),
        Level::Community => lang.pick("村（社区）", "Village or community"),
    }
}

/// The word for a change in the log; one that is not known is its own name.
#[must_use]
pub(super) fn action_word(lang: Lang, action: &str) -> &str {
    let known = ACTIONS.iter().find(|(code, ..)| *code == action);
    known.map_or(action, |(_, zh, en)| lang.pick(zh, en))
}

const ACTIONS: &[(&str, &str, &str)] = &[
    ("add-person", "新增人员", "add a person"),
    ("edit-person", "修改人员", "edit a person"),
    ("disable-person", "停用人员", "disable a person"),
    ("enable-person", "恢复人员", "enable a person"),
    ("reset-password", "重置密码", "reset a password"),
    ("change-password", "修改密码", "change a password"),
    ("grant", "授予角色", "grant a role"),
    ("revoke", "收回角色", "take a role away"),
    ("make-team", "新建小组", "make a team"),
    ("edit-team", "修改小组", "edit a team"),
    ("end-team", "解散小组", "end a team"),
    ("join-team", "加入小组", "take into a team"),
    ("leave-team", "移出小组", "take out of a team"),
    ("invite", "发出邀请", "invite"),
    ("uninvite", "撤回邀请", "take an invitation back"),
    ("accept", "接受邀请", "accept an invitation"),
    ("make-token", "新建接口令牌", "make an API token"),
    ("revoke-token", "撤销接口令牌", "revoke an API token"),
    ("end-session", "结束登录", "end a session"),
    ("add-organisation", "新增机构", "add an organisation"),
    ("edit-organisation", "修改机构", "edit an organisation"),
    ("move-organisation", "移动机构", "move an organisation"),
    ("merge-organisation", "合并机构", "merge an organisation"),
    ("close-organisation", "关闭机构", "close an organisation"),
    ("create-library", "新建资源库", "make a library"),
    ("edit-library", "修改资源库", "edit a library"),
    ("give-library", "移交资源库", "give a library"),
    ("draft", "新建资源", "make a resource"),
    ("upload", "上传资源", "upload a resource"),
    ("process", "资源处理完成", "process a resource"),
    ("fail", "资源处理失败", "fail to process a resource"),
    ("captions", "保存字幕", "save captions"),
    ("remove-captions", "删除字幕", "remove captions"),
    ("search.dictionary", "修改搜索词典", "change the words of the search"),
    ("rotate-ticket-key", "更换票据密钥", "change the key of tickets"),
    ("edit", "修改资源", "edit a resource"),
    ("publish", "发布资源", "publish a resource"),
    ("vouch", "认证地方特色", "vouch for what is local"),
    ("unvouch", "撤销地方特色认证", "withdraw a voucher"),
    ("withdraw", "下架资源", "withdraw a resource"),
    ("delete", "删除资源", "delete a resource"),
    ("cancel", "停止处理", "stop processing"),
    ("retry", "重新处理", "process again"),
];
