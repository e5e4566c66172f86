//! Words that ask or join and say nothing of what is sought.

/// Whether `word` (folded) is never required, unless there is no other.
pub(crate) fn is_stop(word: &str) -> bool {
    STOP.split_whitespace().any(|stop| stop == word)
}

/// Whether a character that is a stop word may also be part of a name: 向宠, 前赵, 上海.
pub(crate) fn may_name(word: &str) -> bool {
    !PARTICLES.split_whitespace().any(|particle| particle == word)
}

/// Whether `word` (folded) asks: what has it is a question, not a list of things to find.
pub(crate) fn asks(word: &str) -> bool {
    ASKS.split_whitespace().any(|asking| asking == word)
}

const PARTICLES: &str = "
    的 了 是 在 和 与 及 或 也 都 就 又 被 把 所 这 那 哪 谁 何 几 吗 呢 吧 啊 么 我 你 他 她 它 们
";

const ASKS: &str = "
    哪 谁 吗 呢 几 什么 甚么 怎么 怎样 如何 哪些 哪个 哪里 哪儿 哪一 哪种 哪位 哪年 何时 何处 何种 何人
    为何 为什么 多少 几个 几年 是否 是不是 有没有 请问 怎么样 怎么办 什么样 什么时候
    how what when where which who whom whose why
";

const STOP: &str = "
    的 了 是 在 和 与 及 或 而 也 都 就 又 还 很 被 把 将 让 使 从 到 对 于 以 为 由 向 其 之 所
    这 那 此 该 哪 谁 何 几 吗 呢 吧 啊 么 个 种 位 些 有 要 会 能 可 中 上 下 时 后 前 里 内 外
    我 你 他 她 它 们 我们 你们 他们 她们 它们 自己
    什么 甚么 怎么 怎样 如何 哪些 哪个 哪里 哪儿 哪一 哪种 哪位 哪年 何时 何处 何种 何人 为何
    为什么 多少 几个 几年 是否 是不是 有没有 请问 怎么样 怎么办 什么样 什么时候
    这个 那个 这些 那些 一 一个 一种 一些 时候 东西 可以 能够 以及 因为 所以 但是 如果 并且 或者 关于
    称为 叫做 名为 被称为
    a an and are as at be by do does for from how i in is it of on or that the this to was were
    what when where which who whom whose why with
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_say_nothing() {
        assert!(is_stop("什么"));
        assert!(is_stop("the"));
        assert!(!is_stop("剪纸"));
        assert!(!is_stop(""));
        assert!(asks("怎么") && asks("how") && !asks("的"));
    }
}
