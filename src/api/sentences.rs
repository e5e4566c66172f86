//! Every code that people may meet, as a sentence in Chinese and in English.

use crate::catalogue::{RuleError, label_of};
use crate::pages::{Lang, kind_word, size};

/// The sentence for `code`, about `info`: as it is, or several words that a language has its
/// own words for.
#[must_use]
pub fn sentence(lang: Lang, code: &str, info: &str) -> String {
    let Some((_, zh, en)) = SENTENCES.iter().find(|(known, ..)| *known == code) else {
        return lang
            .pick(
                "系统没能处理这个文件，请稍后重试或联系管理员。",
                "The system could not process this file. Try again later or ask an administrator.",
            )
            .to_owned();
    };
    let text = lang.pick(zh, en);
    match code {
        "too_large" | "quota" => in_turn(text, info, |bytes| bytes.parse().ok().map(size)),
        "type_mismatch" => in_turn(text, info, |kind| {
            kind.parse().ok().map(|kind| kind_word(lang, kind).to_owned())
        }),
        _ => text.replace("{}", info).trim_end().to_owned(),
    }
}

/// `text` with the words of `info` in its places, each as `word` has it.
fn in_turn(text: &str, info: &str, word: impl Fn(&str) -> Option<String>) -> String {
    info.split_whitespace().fold(text.to_owned(), |text, part| {
        text.replacen("{}", &word(part).unwrap_or_else(|| part.to_owned()), 1)
    })
}

/// Code, Chinese, English; `{}` is the value in question, or one of several in their order.
const SENTENCES: &[(&str, &str, &str)] = &[
    // Requests
    ("not_found", "没有找到，或者您无权查看。", "Not found, or not yours to see."),
    ("unknown_field", "没有“{}”这个字段。", "There is no field {}."),
    ("anonymous", "请先登录。", "Log in first."),
    ("forbidden", "您的账号没有这项权限。", "Your account may not do this."),
    ("bad_request", "请求有误：{}", "The request is wrong: {}"),
    (
        "malformed",
        "请求的内容不完整，或者格式不对。{}",
        "What was sent is not whole, or not of the form that is expected. {}",
    ),
    ("body_too_large", "发送的内容太大。", "What was sent is too large."),
    ("bad_field", "这一项不能使用：{}", "This cannot be used: {}"),
    ("conflict", "当前状态下不能这样做：{}", "This cannot be done in its present state: {}"),
    (
        "not_empty",
        "“{}”下面还有机构或资源库，请先移走。",
        "\"{}\" still has organisations or libraries; move them first.",
    ),
    (
        "bad_table",
        "表格没有导入，什么都没有改变：{}",
        "The table was not imported and nothing was changed: {}",
    ),
    ("taken", "“{}”已经有人用了。", "\"{}\" is taken already."),
    (
        "harvest_forbidden",
        "不能收割 {}：它在内部网络里，或不是网址。要收割内部网络的资源库，请把 harvest.private_addresses 设为 true。",
        "{} may not be harvested: it is in the internal network, or not on the web. To harvest there, set harvest.private_addresses to true.",
    ),
    (
        "copy_no_file",
        "原库的页面上没有找到可以直接下载的文件：{}。请到原库下载后自己上传。",
        "Its home gives no file that can be taken: {}. Download it there and upload it.",
    ),
    ("copy_gone", "已经不知道它来自哪里。", "Where it came from is not known any more."),
    (
        "copy_licence",
        "它的许可不允许复制：{}。请征得作者同意后自己上传。",
        "Its licence allows no copy: {}. Ask its author, and upload it yourself.",
    ),
    (
        "copy_own",
        "只有从别的资源库收割来的条目才能复制进来。",
        "Only what was harvested can be copied in.",
    ),
    ("copied_already", "这个资源库里已经有它的副本。", "The library has a copy of it already."),
    ("harvest_status", "对方的回答是 {}，不是记录。", "The answer was {} instead of records."),
    (
        "harvest_too_long",
        "对方的回答超过 {} 字节，没有接收。",
        "The answer is longer than {} bytes and was not taken.",
    ),
    ("harvest_unreachable", "连不上对方：{}", "It cannot be reached: {}"),
    (
        "harvest_not_oai",
        "对方的回答不是 OAI-PMH。请核对地址。",
        "The answer is not OAI-PMH. Check the address.",
    ),
    (
        "harvest_too_much",
        "对方一次给出的记录太多，没有接收。",
        "There is too much in one answer; it was not taken.",
    ),
    ("harvest_refused", "对方拒绝了请求：{}", "The request was refused: {}"),
    (
        "harvest_token",
        "对方不再认得续传标记，将从这一轮的开头重来。",
        "The resumption token is not known there any more; the harvest begins anew.",
    ),
    (
        "harvest_circle",
        "对方的列表没有尽头：续传标记没有变化。",
        "The list there goes round in a circle: its resumption token stays the same.",
    ),
    (
        "harvest_empty",
        "对方说没有任何记录，可能是弄错了，所以这里的条目都保留着。如果确实如此，请移除这个来源。",
        "It says that it has no records at all, perhaps by mistake, so all are kept here. If it is true, remove the source.",
    ),
    ("oembed_format", "只有 json 和 xml 两种格式：{}", "The formats are json and xml, not {}."),
    // Review
    ("no_chain", "这个资源库不设审核。", "Nothing is reviewed in this library."),
    (
        "in_review",
        "已经送审，审完之前不能修改；要改，请先撤回。",
        "It is in review and cannot be changed until that is over. Take it back first.",
    ),
    (
        "was_reviewed",
        "这是审核通过后发布的，字幕请馆员来改，或者先下架、改好再送审。",
        "It was published by review: ask a librarian to change its captions, or withdraw it, change them and hand it in again.",
    ),
    ("evidence_needed", "请选一项：凭什么可以公开？", "Choose one: by what right may it be shown?"),
    ("own_work", "不能为自己上传的资源认证。", "Nobody vouches for what they uploaded themselves."),
    (
        "not_local",
        "这个资源没有填写地方特色，没有可以认证的内容。",
        "Nothing local is said about this resource, so there is nothing to vouch for.",
    ),
    ("vouched_already", "这个机构已经认证过了。", "This organisation vouches for it already."),
    ("unvouched_already", "这份认证已经撤销了。", "This was withdrawn already."),
    ("not_in_review", "现在没有在审的版本。", "No version of it is in review."),
    (
        "own_work",
        "不能审自己上传或送审的资源，请交给别人审。",
        "Nobody reviews what they made or handed in themselves. Leave it to somebody else.",
    ),
    (
        "read_before",
        "您已经审过这一版，后面的步骤要由别人来审。",
        "You have reviewed this version in another step; the others are for other people.",
    ),
    (
        "decided_already",
        "别人已经处理过了，请刷新页面看最新情况。",
        "Somebody has decided already. Reload the page to see how things stand.",
    ),
    (
        "withdrawn_by_order",
        "这个资源是被下架的，要由下架它的一级或更高一级恢复；作者可以申诉。",
        "It was withdrawn by order: those who withdrew it, or those above, can let it be seen again. Its author may appeal.",
    ),
    ("not_returned", "这一版没有被退回。", "This version was not returned."),
    (
        "nothing_to_appeal",
        "没有可以申诉的下架或退回。",
        "There is no withdrawal or return to appeal from.",
    ),
    ("appealed_already", "这件事已经申诉过了。", "There is an appeal about this already."),
    (
        "changed_since",
        "退回之后内容又改过了，请重新送审。",
        "It was changed after it was returned. Hand it in again.",
    ),
    (
        "complained_enough",
        "关于这个资源已经收到很多投诉，正在处理，不必再投诉。",
        "Many complaints about this have come and are being looked at; one more is not needed.",
    ),
    (
        "leave_empty",
        "请把“网址”一栏留空后再提交：它是用来识别机器人的。",
        "Leave the field for a web address empty and send again: it is there to tell robots.",
    ),
    ("method", "这个地址不支持此操作。", "This address does not support that."),
    ("too_many", "尝试太频繁，请一分钟后再试。", "Too many attempts. Try again in a minute."),
    ("too_often", "请求太频繁，请 {} 秒后再试。", "Too many requests. Try again in {} seconds."),
    ("wrong_password", "用户名或密码不对。", "The name or the password is wrong."),
    // Logins by an account from elsewhere
    (
        "identity_down",
        "“{}”现在没有回应，请稍后再试；有本站密码的话，可以用密码登录。",
        "“{}” does not answer just now. Try again later, or log in with a password of this site.",
    ),
    (
        "identity_refused",
        "“{}”拒绝了这次登录，请告诉本站管理员：登录设置可能有误。",
        "“{}” refused the login. Please tell an administrator of this site: its settings may be wrong.",
    ),
    (
        "identity_denied",
        "您在“{}”取消了登录，或者没有同意，所以没有登录。",
        "You were not logged in: it was cancelled or not agreed to at “{}”.",
    ),
    (
        "identity_over",
        "这次登录已经用过或者超时了，请重新点一次登录按钮。",
        "This login was used already or took too long. Press the button once more.",
    ),
    (
        "identity_state",
        "这次登录不是在这个浏览器里开始的，或者已经用过、超时，请重新点一次登录按钮。",
        "This login was not begun in this browser, was used already or took too long. Press the button once more.",
    ),
    (
        "identity_clock",
        "“{}”的时间和本站对不上，请告诉本站管理员检查时钟。",
        "The clocks of “{}” and of this site differ. Please tell an administrator of this site.",
    ),
    (
        "identity_token",
        "“{}”的回答没有通过核验，为安全起见没有登录。再试还是这样，请告诉本站管理员。",
        "What “{}” answered could not be trusted, so you were not logged in. If it happens again, please tell an administrator of this site.",
    ),
    (
        "identity_unknown",
        "您在那里的账号还没有和本站的账号关联。请先用本站的密码登录，在“我的账号”里关联；没有本站账号，请找机构的管理员。",
        "Your account there is not linked with one here. Log in with your password here and link it under “My account”, or ask whoever looks after you.",
    ),
    (
        "identity_suspended",
        "您在本站的账号已停用，不能登录。请找机构的管理员。",
        "Your account here is suspended. Ask whoever looks after you.",
    ),
    (
        "identity_domain",
        "您在那里的账号没有本站认可的、验证过的邮箱，不能登录本站。",
        "Your account there has no verified e-mail address of those that may log in here.",
    ),
    (
        "identity_taken",
        "那个账号已经和本站的一个账号关联了。",
        "That account is linked with an account here already.",
    ),
    (
        "identity_last",
        "这是您登录的唯一方式，不能取消关联。请先关联别的账号，或者请管理员给您重置码设一个密码。",
        "This is your only way to log in, so it stays. Link another account first, or ask for a code to choose a password with.",
    ),
    (
        "identity_too_many",
        "关联的账号太多了，请先取消不用的。",
        "There are too many linked accounts. Unlink some first.",
    ),
    ("wrong_old_password", "现在的密码不对。", "The present password is wrong."),
    (
        "wrong_code",
        "链接或重置码已经用过、过期或不对，请向管理员再要一个。",
        "The link or code was used, has expired or is wrong. Ask for another one.",
    ),
    ("no_such", "没有这个{}。", "There is no {}."),
    ("bad_line", "这一行不能用：{}", "This line cannot be used: {}"),
    (
        "too_many_tokens",
        "接口令牌太多了，请先撤销不用的。",
        "There are too many API tokens. Revoke some first.",
    ),
    (
        "scope",
        "这个接口令牌没有“{}”权限。",
        "This API token was not made for that: it lacks the scope {}.",
    ),
    (
        "foreign_origin",
        "请求来自别的网站，已拒绝。",
        "The request came from another site and was refused.",
    ),
    (
        "query_too_long",
        "搜索的内容太长，最多 1000 字。",
        "The query is too long: at most 1,000 characters.",
    ),
    (
        "broken",
        "服务器出错了，我们已经记录下来。请稍后再试。",
        "Something broke here and was recorded. Try again later.",
    ),
    ("busy", "服务器正忙，请稍后再试。", "The server is busy. Try again later."),
    // Courses
    (
        "edited_meanwhile",
        "在您编辑期间，别人保存了修改。请看看现在的内容再改。",
        "Somebody saved a change while you were editing. Look at what is there now.",
    ),
    (
        "course_empty",
        "课程里还没有内容，不能发布。",
        "There is nothing in the course yet, so it cannot be published.",
    ),
    (
        "course_not_shared",
        "只能展示别的资源库已公开发布的课程。",
        "Only a public course of another library can be shown.",
    ),
    // Uploads
    (
        "type",
        "不支持这种文件（{}）。可以上传视频、音频、图片、PDF、办公文档、EPUB 电子书、文本和网页。",
        "Files of this type ({}) are not supported. Upload video, audio, images, PDF, office documents, EPUB, text or HTML.",
    ),
    ("type_not_yet", "暂不支持这种文件（{}）。", "Files of this type ({}) are not supported yet."),
    (
        "captions_alone",
        "字幕要加到一个视频或音频上：请打开该资源的编辑页上传字幕。",
        "Captions are added to a video or audio: upload them on its edit page.",
    ),
    (
        "type_mismatch",
        "文件内容与扩展名不符：看名字是{}，内容却是{}。",
        "The content is not what the name says: named as {}, but holding {}.",
    ),
    ("empty", "文件是空的。", "The file is empty."),
    ("too_large", "文件太大：{}，最大 {}。", "The file is too large: {}, more than {}."),
    (
        "quota",
        "资源库的空间不够了：文件有 {}，只剩 {}。",
        "The library has not enough space left: the file has {}, the library {}.",
    ),
    (
        "disk_full",
        "服务器磁盘空间不足，暂时不能上传。请联系管理员。",
        "The server's disk is too full to take uploads. Ask an administrator.",
    ),
    (
        "upload_gone",
        "上传的文件已经不在了，请重新上传。",
        "The uploaded file is gone. Upload it again.",
    ),
    (
        "upload_damaged",
        "收到的文件大小不对（{} 字节），请重新上传。",
        "The file did not arrive whole ({} bytes). Upload it again.",
    ),
    ("upload_offset", "断点位置不一致，请重新续传。", "The offset differs. Resume the upload."),
    (
        "upload_checksum",
        "校验不一致，这一段请重传。",
        "The checksum differs. Send this piece again.",
    ),
    (
        "upload_expired",
        "上传已经过期，请重新上传。",
        "The upload has expired. Upload the file again.",
    ),
    ("tus_version", "客户端的 tus 版本不对，需要 1.0.0。", "The client must speak tus 1.0.0."),
    // Media
    (
        "media_no_usable_streams",
        "文件里没有可以播放的画面或声音。",
        "There is no picture or sound in the file that can be played.",
    ),
    (
        "media_unknown_codec",
        "文件的编码格式不能识别：{}。请用常见格式（如 H.264 的 MP4）重新导出。",
        "The file's codec is not known: {}. Export it in a common format such as MP4 with H.264.",
    ),
    (
        "media_damaged",
        "这个视频或音频读不出来，文件可能已经损坏或没有传完整。",
        "The video or audio cannot be read; the file may be damaged or cut.",
    ),
    ("media_empty", "文件里没有内容可以播放。", "There is nothing in the file that can be played."),
    ("media_too_long", "节目太长，最长 24 小时。", "It is too long: at most 24 hours."),
    (
        "media_too_large",
        "画面太大，最大 8192×8192 像素。",
        "The picture is too large: at most 8192×8192 pixels.",
    ),
    ("cancelled", "已取消处理。", "Processing was cancelled."),
    ("source_gone", "原始文件已经不在了，请重新上传。", "The source is gone. Upload it again."),
    (
        "crashed",
        "处理这个文件时程序意外中止，多次重试仍未成功。文件可能已经损坏。",
        "Processing this file ended unexpectedly, several times. It may be damaged.",
    ),
    (
        "stalled",
        "处理这个文件时长时间没有进展，已经停止。文件可能已经损坏。",
        "Processing this file made no progress and was ended. It may be damaged.",
    ),
    (
        "sandbox",
        "服务器的隔离环境不可用，无法处理上传。请联系管理员。",
        "The server cannot confine media processing. Ask an administrator.",
    ),
    // Documents and pictures
    (
        "document_encrypted",
        "这个 PDF 有打开密码。请去掉密码后再上传。",
        "The PDF needs a password to open. Remove it and upload again.",
    ),
    ("document_damaged", "这个 PDF 已经损坏，打不开。", "The PDF is damaged and cannot be opened."),
    ("document_too_many_pages", "页数太多：{}。", "There are too many pages: {}."),
    ("document_empty", "这个 PDF 里没有页面。", "The PDF has no pages."),
    (
        "document_timeout",
        "处理这个 PDF 用时太长，已经停止。",
        "Reading the PDF took too long and was ended.",
    ),
    (
        "office_missing",
        "服务器没有安装 LibreOffice，读不了办公文档。请先导出为 PDF 再上传，或请管理员安装。",
        "LibreOffice is not installed on the server, so office documents cannot be read. Export it as PDF, or ask an administrator to install it.",
    ),
    (
        "office_encrypted",
        "这个文档有打开密码。请去掉密码后再上传。",
        "The document needs a password to open. Remove it and upload again.",
    ),
    (
        "office_damaged",
        "这个文档打不开，可能已经损坏、没有传完整，或者有密码。",
        "The document cannot be opened; it may be damaged, cut, or need a password.",
    ),
    (
        "office_timeout",
        "转换这个文档用时太长，已经停止。请导出为 PDF 后再上传。",
        "Converting the document took too long and was ended. Export it as PDF and upload that.",
    ),
    (
        "book_locked",
        "这本电子书有加密保护（DRM），只能在出售它的软件里打开。请上传没有加密的版本。",
        "The book is protected (DRM) and opens only in its seller's programs. Upload one without protection.",
    ),
    (
        "book_damaged",
        "这本电子书的结构不完整，找不到章节。",
        "The book is not whole: its chapters cannot be found.",
    ),
    ("book_empty", "这个文件里没有可以阅读的内容。", "There is nothing to read in the file."),
    ("book_not_text", "这个文件不是文本。", "The file is not text."),
    ("book_too_large", "文本太大，最大 32 MB。", "The text is too large: at most 32 MB."),
    ("book_too_many", "章节太多，最多 10000 章。", "There are too many chapters: at most 10,000."),
    (
        "archive_damaged",
        "这个文档已经损坏，或者没有传完整。",
        "The document is damaged, or was cut.",
    ),
    (
        "archive_too_many",
        "这个文档里的文件太多，不能处理。",
        "The document packs too many files to be read.",
    ),
    (
        "archive_too_large",
        "这个文档解压后太大，不能处理。",
        "The document is too large when unpacked.",
    ),
    (
        "archive_bomb",
        "这个文档解压后比原来大得太多，像是压缩炸弹，已拒绝处理。",
        "The document unpacks to far more than its size, as a zip bomb does, and was refused.",
    ),
    (
        "xml_declarations",
        "这个文档里有不允许的 XML 声明（DTD 或外部实体），已拒绝处理。",
        "The document holds XML declarations (a DTD or external entities) and was refused.",
    ),
    (
        "xml_deep",
        "这个文档里的内容嵌套太深，已拒绝处理。",
        "The document nests its content too deep and was refused.",
    ),
    (
        "picture_damaged",
        "图片打不开，可能已经损坏。",
        "The picture cannot be opened; it may be damaged.",
    ),
    ("picture_unknown", "不认识这种图片格式。", "This picture format is not known."),
    (
        "picture_too_large",
        "图片太大（{}），最多一亿像素、268 MB。",
        "The picture is too large ({}): at most 100 million pixels and 268 MB.",
    ),
    (
        "picture_heic",
        "暂不支持 HEIC 图片，请转为 JPEG 后上传。",
        "HEIC pictures are not supported yet. Convert it to JPEG.",
    ),
    (
        "picture_avif",
        "这个 AVIF 图片无法解码，请转为 JPEG 后上传。",
        "This AVIF picture cannot be decoded. Convert it to JPEG.",
    ),
    // Captions
    ("captions_empty", "字幕文件里没有内容：{}", "There is nothing in the captions file: {}"),
    ("captions_not_text", "字幕文件不是文本：{}", "The captions file is not text: {}"),
    (
        "captions_unknown",
        "读不懂这个字幕文件：{}。支持 SRT、WebVTT、ASS。",
        "The captions cannot be read: {}. SRT, WebVTT and ASS are supported.",
    ),
    (
        "captions_no_cues",
        "字幕文件里没有一条时间和文字都完整的字幕：{}",
        "No cue of the captions file has both times and text: {}",
    ),
    (
        "captions_too_large",
        "字幕文件太大，最大 10 MB。",
        "The captions file is too large: at most 10 MB.",
    ),
    (
        "captions_too_many_cues",
        "字幕条数太多，最多 50000 条。",
        "There are too many cues: at most 50,000.",
    ),
    (
        "captions_changed",
        "在您编辑期间，别人保存了新的字幕。",
        "Somebody saved other captions while you were editing.",
    ),
    // Tables and changes of many
    ("table_empty", "表格里什么都没有。", "There is nothing in the table."),
    (
        "table_malformed",
        "读不懂这个文件，请另存为 CSV 或 XLSX 再上传。（{}）",
        "The file cannot be read. Save it as CSV or XLSX. ({})",
    ),
    (
        "table_unknown",
        "不认识这一列：{}。请用导出的表格里的列名，不要的列可以删掉。",
        "The column {} is not known. Use those of an exported table, and delete what is not needed.",
    ),
    ("table_twice", "这一列出现了两次：{}", "The column is there twice: {}"),
    (
        "table_no_id",
        "表格里没有“编号”一列，认不出是哪些资源。请先导出表格，在上面修改。",
        "The table has no column Id, by which resources are found. Export a table first, and change that.",
    ),
    ("table_missing", "这一列要填写：{}", "The column must be filled in: {}"),
    ("table_large", "表格太大，最多 {} 字节。", "The table is too large: at most {} bytes."),
    (
        "table_rows",
        "行数太多，请分成几个表格。",
        "There are too many rows: make several tables of them.",
    ),
    (
        "table_cells",
        "表格里填写的单元格太多，或者有的列太靠右、文字太长。",
        "Too many cells are filled in, or some are too far right or too long.",
    ),
    (
        "table_old",
        "这是旧格式（.xls）或有密码的表格，请另存为 XLSX 再上传。",
        "This is an old spreadsheet (.xls), or one with a password. Save it as XLSX.",
    ),
    (
        "table_damaged",
        "这个表格打不开，可能已经损坏。",
        "The spreadsheet cannot be opened; it may be damaged.",
    ),
    (
        "batch_unguarded",
        "表格里没有“修改序号”一列，看不出导出之后别人改过什么。",
        "The table has no column Change number, so what others changed since the export is not noticed.",
    ),
    (
        "batch_overwrites",
        "导出之后别人改过的，也按表格修改。",
        "What others changed since the export is changed all the same.",
    ),
    ("batch_nothing", "请选择要修改什么。", "Choose what is to be changed."),
    ("row_no_id", "没有编号。", "It has no id."),
    (
        "row_missing",
        "没有这个资源，或者您不能修改它。",
        "There is no such resource, or it is not yours to change.",
    ),
    ("row_needed", "必须填写。", "It must be filled in."),
    ("row_twice", "表格里有两行是同一个资源。", "Two rows are about the same resource."),
    ("row_long", "这一格上面没有列名：{}", "There is no heading above this cell: {}"),
    ("row_fixed", "这一列只读，不能改成：{}", "This column cannot be changed, to: {}"),
    (
        "row_changed",
        "导出或检查之后有人修改过它，没有覆盖。",
        "Somebody changed it meanwhile, so it was left alone.",
    ),
    ("row_stage", "状态是“{}”，不能这样做。", "It is {}, which does not allow this."),
    (
        "row_reason",
        "下架别人的资源要写明理由。",
        "A reason is needed to withdraw what others uploaded.",
    ),
    ("bad_value", "不能用这个值：{}", "This value cannot be used: {}"),
    // Speech
    (
        "speech_off",
        "没有开启语音识别。请管理员在设置 [speech] 中选择识别引擎和模型。",
        "Speech recognition is off. An administrator chooses an engine and a model in the settings [speech].",
    ),
    (
        "speech_no_sound",
        "没有可以识别的声音，或者还没有处理好。",
        "There is no sound to listen to, or it is not ready yet.",
    ),
    ("speech_busy", "正在识别，请稍候。", "It is being recognised already."),
    (
        "speech_nothing",
        "没有听到可以识别的语音，没有生成字幕。",
        "No speech was heard, so there are no captions.",
    ),
    (
        "speech_engine",
        "本服务器的程序里没有识别引擎 {}。请管理员换用带此引擎的程序，或改用外部命令。",
        "This server was built without the engine {}. An administrator can use another build, or a command.",
    ),
    (
        "speech_model",
        "语音识别的模型不能用：{}。请管理员检查设置 speech.model。",
        "The speech model cannot be used: {}. An administrator should check speech.model.",
    ),
    (
        "speech_command",
        "语音识别程序没有成功：{}。请管理员检查设置 speech.command。",
        "The speech program failed: {}. An administrator should check speech.command.",
    ),
    (
        "speech_late",
        "语音识别超过了限定的时间（{}），已停止。",
        "Recognising speech took longer than allowed ({}) and was ended.",
    ),
    (
        "speech_answer",
        "语音识别程序的结果读不懂：{}。",
        "What the speech program answered cannot be read: {}.",
    ),
    ("listened", "语音识别已完成", "Speech was recognised"),
    (
        "listen_waiting",
        "语音识别在排队，其他处理都完成后进行",
        "Speech waits until all else is done",
    ),
    // Warnings
    (
        "audio_left_out",
        "有的音轨无法识别，没有保留。",
        "A sound track could not be read and was left out.",
    ),
    (
        "video_left_out",
        "画面无法识别，只保留了声音。",
        "The picture could not be read; only the sound was kept.",
    ),
    (
        "picture_subtitles_left_out",
        "图形字幕无法转换，没有保留。",
        "Subtitles that are pictures were left out.",
    ),
    ("pages_damaged", "有的页面损坏，显示不完整。", "Some pages are damaged and not shown whole."),
    (
        "pages_unread",
        "有的页面是扫描图片，这台服务器没有安装文字识别，所以这些页面搜不到、选不了文字。",
        "Some pages are scanned pictures. This server has no text recognition, so their text can be neither found nor selected.",
    ),
    (
        "pages_unshown",
        "有的页面做不出图片，只能看文字。",
        "Some pages could not be made into pictures; they are shown as text.",
    ),
    (
        "pages_to_come",
        "还有 {} 页的图片正在制作，先显示文字；全文已经可以查找。",
        "The pictures of {} pages are being made. They are shown as text for now; all text can be searched.",
    ),
    // What the pipeline does
    ("waiting", "等待处理", "Waiting"),
    (
        "disk_short",
        "服务器磁盘空间不足，腾出空间后会自动继续",
        "Waiting: the server's disk is short of space",
    ),
    ("fetch", "正在从原库取文件", "Fetching the file from its home"),
    ("intake", "正在核对和保存文件", "Checking and storing the file"),
    ("probe", "正在分析文件内容", "Looking into the file"),
    ("copy", "正在封装原画质", "Packaging the original picture"),
    ("encode", "正在转码画面", "Encoding the picture"),
    ("extra", "正在制作其他编码", "Making other codecs"),
    ("audio", "正在转码声音", "Encoding the sound"),
    ("listen", "正在识别语音", "Recognising speech"),
    ("derive", "正在截取封面和字幕", "Taking posters and captions"),
    ("convert", "正在转换办公文档", "Converting the office document"),
    ("book", "正在整理章节和文字", "Preparing chapters and text"),
    ("inspect", "正在分析文档，提取文字", "Looking into the document and its text"),
    ("pages", "正在制作页面图片", "Making pictures of pages"),
    ("later_pages", "正在制作其余页面的图片", "Making pictures of the other pages"),
    ("picture", "正在处理图片", "Processing the picture"),
    ("recognise", "正在识别图片中的文字", "Reading the text in pictures"),
    ("twins", "正在查找相同的资源", "Looking for the same in other resources"),
    ("slides", "正在查找视频里的幻灯片", "Looking for slides in the video"),
];

/// The sentence for a rule that would be broken.
#[must_use]
pub(super) fn rule(lang: Lang, error: &RuleError) -> String {
    match error {
        RuleError::Anonymous => sentence(lang, "anonymous", ""),
        RuleError::Forbidden => sentence(lang, "forbidden", ""),
        RuleError::WrongStage(stage) => {
            sentence(lang, "conflict", crate::pages::stage_word(lang, *stage))
        }
        RuleError::Conflict(code) => sentence(lang, code, ""),
        RuleError::BadField { field, value } => {
            let field = label_of(FIELDS, field, lang == Lang::Zh);
            sentence(lang, "bad_field", &format!("{field} {value}"))
        }
    }
}

/// What a field is called.
pub(super) fn field_word(lang: Lang, field: &str) -> String {
    label_of(FIELDS, field, lang == Lang::Zh).to_owned()
}

const FIELDS: &[crate::catalogue::Term] = &[
    crate::catalogue::Term { code: "title", zh: "标题", en: "title" },
    crate::catalogue::Term { code: "provider", zh: "登录方式", en: "provider" },
    crate::catalogue::Term { code: "subject", zh: "对方账号编号", en: "subject" },
    crate::catalogue::Term { code: "description", zh: "简介", en: "description" },
    crate::catalogue::Term { code: "author", zh: "作者", en: "author" },
    crate::catalogue::Term { code: "licence", zh: "许可", en: "licence" },
    crate::catalogue::Term { code: "language", zh: "语言", en: "language" },
    crate::catalogue::Term { code: "topics", zh: "主题", en: "topics" },
    crate::catalogue::Term { code: "audiences", zh: "适用人群", en: "audiences" },
    crate::catalogue::Term { code: "keywords", zh: "关键词", en: "keywords" },
    crate::catalogue::Term { code: "contributors", zh: "参与者", en: "contributors" },
    crate::catalogue::Term { code: "publisher", zh: "出版者", en: "publisher" },
    crate::catalogue::Term {
        code: "made",
        zh: "制作时间（如 2019 或 2019-05-01）",
        en: "date it was made (as 2019 or 2019-05-01)",
    },
    crate::catalogue::Term { code: "place_code", zh: "行政区划代码", en: "division code" },
    crate::catalogue::Term { code: "difficulty", zh: "难度", en: "difficulty" },
    crate::catalogue::Term {
        code: "learning_minutes",
        zh: "学习时长（分钟）",
        en: "learning time (minutes)",
    },
    crate::catalogue::Term { code: "rights_holder", zh: "权利人", en: "rights holder" },
    crate::catalogue::Term { code: "evidence", zh: "权利依据", en: "evidence of rights" },
    crate::catalogue::Term { code: "evidence_words", zh: "依据说明", en: "about the evidence" },
    crate::catalogue::Term {
        code: "evidence_paper", zh: "凭证存放处", en: "where the paper lies"
    },
    crate::catalogue::Term { code: "source_url", zh: "来源网址", en: "address of the source" },
    crate::catalogue::Term {
        code: "local.origin",
        zh: "地方特色：来自哪里",
        en: "local mark: origin",
    },
    crate::catalogue::Term {
        code: "local.bearer",
        zh: "地方特色：传承人",
        en: "local mark: bearer",
    },
    crate::catalogue::Term {
        code: "local.dialect",
        zh: "地方特色：方言",
        en: "local mark: dialect",
    },
    crate::catalogue::Term {
        code: "local.dialect_words",
        zh: "地方特色：方言说明",
        en: "local mark: dialect in words",
    },
    crate::catalogue::Term {
        code: "local.heritage",
        zh: "地方特色：非遗级别",
        en: "local mark: heritage",
    },
    crate::catalogue::Term { code: "teachers", zh: "授课人", en: "teachers" },
    crate::catalogue::Term { code: "hours", zh: "学时", en: "hours" },
    crate::catalogue::Term { code: "cover", zh: "封面", en: "cover" },
    crate::catalogue::Term { code: "sections", zh: "单元", en: "sections" },
    crate::catalogue::Term { code: "lessons", zh: "课程内容", en: "lessons" },
    crate::catalogue::Term { code: "resources", zh: "资源", en: "resources" },
    crate::catalogue::Term { code: "ordering", zh: "排序", en: "ordering" },
    crate::catalogue::Term { code: "slug", zh: "网址名", en: "slug" },
    crate::catalogue::Term { code: "publishing", zh: "发布方式", en: "publishing" },
    crate::catalogue::Term { code: "visibility", zh: "可见范围", en: "visibility" },
    crate::catalogue::Term { code: "level", zh: "级别", en: "level" },
    crate::catalogue::Term { code: "code", zh: "行政区划代码", en: "division code" },
    crate::catalogue::Term { code: "parent", zh: "上级机构", en: "organisation above" },
    crate::catalogue::Term {
        code: "into", zh: "并入的机构", en: "organisation to merge into"
    },
    crate::catalogue::Term { code: "owner", zh: "所属机构", en: "owner" },
    crate::catalogue::Term { code: "host", zh: "域名", en: "host name" },
    crate::catalogue::Term { code: "notice", zh: "公告", en: "notice" },
    crate::catalogue::Term { code: "logo", zh: "标志", en: "logo" },
    crate::catalogue::Term { code: "colour", zh: "颜色", en: "colour" },
    crate::catalogue::Term { code: "retention_days", zh: "保留天数", en: "days kept" },
    crate::catalogue::Term { code: "featured", zh: "推荐资源", en: "featured resources" },
    crate::catalogue::Term { code: "contact", zh: "联系方式", en: "contact" },
    crate::catalogue::Term { code: "place", zh: "地点", en: "place" },
    crate::catalogue::Term { code: "position", zh: "经纬度", en: "position" },
    crate::catalogue::Term { code: "login_name", zh: "登录名", en: "login name" },
    crate::catalogue::Term { code: "display_name", zh: "姓名", en: "name" },
    crate::catalogue::Term { code: "phone", zh: "手机或电话号码", en: "telephone number" },
    crate::catalogue::Term { code: "email", zh: "电子邮箱", en: "e-mail address" },
    crate::catalogue::Term {
        code: "password",
        zh: "密码（8 个字符以上）",
        en: "password (8 characters or more)",
    },
    crate::catalogue::Term { code: "organisation", zh: "机构", en: "organisation" },
    crate::catalogue::Term { code: "library", zh: "资源库", en: "library" },
    crate::catalogue::Term {
        code: "where",
        zh: "机构或资源库（选一个）",
        en: "an organisation or a library, one of them",
    },
    crate::catalogue::Term { code: "scopes", zh: "令牌权限", en: "scopes" },
    crate::catalogue::Term {
        code: "day", zh: "日期（如 2026-11-25）", en: "day (as 2026-11-25)"
    },
    crate::catalogue::Term { code: "days", zh: "天数", en: "days" },
    crate::catalogue::Term { code: "uses", zh: "人数", en: "number of people" },
    crate::catalogue::Term { code: "ends", zh: "结束时间", en: "end" },
    crate::catalogue::Term { code: "note", zh: "备注", en: "note" },
    crate::catalogue::Term { code: "role", zh: "角色", en: "role" },
    crate::catalogue::Term { code: "file", zh: "文件", en: "file" },
    crate::catalogue::Term { code: "source", zh: "源文件", en: "source" },
    crate::catalogue::Term { code: "captions", zh: "字幕", en: "captions" },
    crate::catalogue::Term { code: "steps", zh: "审核步骤", en: "steps" },
    crate::catalogue::Term { code: "step", zh: "审核步骤", en: "step" },
    crate::catalogue::Term { code: "days", zh: "期限（天）", en: "days" },
    crate::catalogue::Term { code: "until", zh: "截止日期", en: "until" },
    crate::catalogue::Term { code: "account", zh: "账号", en: "account" },
    crate::catalogue::Term { code: "team", zh: "小组", en: "team" },
    crate::catalogue::Term { code: "reason", zh: "理由", en: "reason" },
    crate::catalogue::Term { code: "words", zh: "内容", en: "words" },
    crate::catalogue::Term { code: "answer", zh: "答复", en: "answer" },
    crate::catalogue::Term { code: "verdict", zh: "审核意见", en: "verdict" },
    crate::catalogue::Term { code: "start_ms", zh: "时间点", en: "time" },
    crate::catalogue::Term { code: "page", zh: "页码", en: "page" },
    crate::catalogue::Term { code: "quota_gb", zh: "容量", en: "quota" },
    crate::catalogue::Term { code: "reason", zh: "理由", en: "reason" },
    crate::catalogue::Term { code: "name", zh: "名称", en: "name" },
    crate::catalogue::Term {
        code: "format",
        zh: "格式（json 或 csv）",
        en: "format (json or csv)",
    },
    crate::catalogue::Term { code: "poster", zh: "封面", en: "poster" },
    crate::catalogue::Term { code: "codecs", zh: "画面编码", en: "codecs" },
    crate::catalogue::Term { code: "loudness_lufs", zh: "响度", en: "loudness" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Kind, Refusal};

    #[test]
    fn every_refusal_has_its_sentence() {
        for code in [
            "type",
            "type_not_yet",
            "captions_alone",
            "type_mismatch",
            "empty",
            "too_large",
            "quota",
            "disk_full",
        ] {
            assert!(SENTENCES.iter().any(|(known, ..)| *known == code), "{code}");
        }
        assert_eq!(sentence(Lang::En, "taken", "lin"), "\"lin\" is taken already.");
    }

    #[test]
    fn refusals_are_in_one_language() {
        let say = |lang, refusal: &Refusal| sentence(lang, refusal.code(), &refusal.info());
        let large = Refusal::TooLarge { size_bytes: 5_500_000_000, limit_bytes: 2_000_000_000 };
        assert_eq!(say(Lang::Zh, &large), "文件太大：5.5 GB，最大 2.0 GB。");
        let mismatch = Refusal::Mismatch { named: Kind::Video, found: Kind::Image };
        assert_eq!(say(Lang::Zh, &mismatch), "文件内容与扩展名不符：看名字是视频，内容却是图片。");
        for refusal in [large, mismatch, Refusal::Quota { size_bytes: 5, free_bytes: 0 }] {
            let zh = say(Lang::Zh, &refusal);
            assert!(!zh.contains("{}") && !zh.contains("the") && !zh.contains("bytes"), "{zh}");
        }
    }
}
