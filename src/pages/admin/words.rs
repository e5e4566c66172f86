//! What roles, levels and changes are called.

use super::super::Lang;
use super::Option2;
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
    ("accept", "通过审核，或接受邀请", "accept in review, or an invitation"),
    ("return", "退回作者", "return to its author"),
    ("make-token", "新建接口令牌", "make an API token"),
    ("revoke-token", "撤销接口令牌", "revoke an API token"),
    ("end-session", "结束登录", "end a session"),
    ("apply-batch", "批量修改资源", "change many resources"),
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
    ("hand-in", "送审", "hand in for review"),
    ("take-back", "撤回送审", "take back from review"),
    ("comment", "写审核意见", "comment in review"),
    ("resolve", "处理审核意见", "resolve a comment"),
    ("set-chain", "设置审核步骤", "set the steps of review"),
    ("delegate", "委托审核", "delegate a review"),
    ("end-delegation", "结束委托", "end a delegation"),
    ("complain", "收到投诉", "complain"),
    ("answer-complaint", "答复投诉", "answer a complaint"),
    ("appeal", "提出申诉", "appeal"),
    ("answer-appeal", "答复申诉", "answer an appeal"),
    ("create-course", "新建课程", "make a course"),
    ("edit-course", "修改课程", "edit a course"),
    ("edit-lessons", "编排课程内容", "arrange lessons"),
    ("publish-course", "发布课程", "publish a course"),
    ("withdraw-course", "下架课程", "withdraw a course"),
    ("delete-course", "删除课程", "delete a course"),
    ("list-course", "在本库展示课程", "show a course"),
    ("unlist-course", "不再展示课程", "show a course no longer"),
    ("create-collection", "新建专题", "make a collection"),
    ("edit-collection", "修改专题", "edit a collection"),
    ("delete-collection", "删除专题", "delete a collection"),
    ("duplicates.set_aside", "判定不是重复", "say that two are not the same"),
    ("duplicates.take_back", "撤回不是重复", "take that back"),
    ("add-source", "添加来源库", "add a source"),
    ("run-source", "开始收割", "ask for a harvest"),
    ("harvest", "收割完成", "harvest a source"),
    ("remove-source", "移除来源库", "remove a source"),
    ("copy-in", "从原库复制进来", "copy in"),
];

/// What the log may tell of, to choose from.
#[must_use]
pub(super) fn actions(lang: Lang) -> Vec<Option2> {
    ACTIONS
        .iter()
        .map(|(code, zh, en)| ((*code).to_owned(), lang.pick(zh, en).to_owned()))
        .collect()
}
