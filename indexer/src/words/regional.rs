//! The same thing by another name: mainland and Taiwan usage.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What `word` (folded) is called elsewhere, folded.
pub(crate) fn elsewhere(word: &str) -> &'static [&'static str] {
    static NAMES: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(load);
    NAMES.get(word).map_or(&[], Vec::as_slice)
}

fn load() -> HashMap<&'static str, Vec<&'static str>> {
    let mut names: HashMap<&str, Vec<&str>> = HashMap::new();
    let pairs = include_str!("../../data/regional.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'));
    for (mainland, taiwan) in pairs {
        names.entry(mainland).or_default().push(taiwan);
        names.entry(taiwan).or_default().push(mainland);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert!(elsewhere("对话框").contains(&"对话方块"));
        assert!(elsewhere("对话方块").contains(&"对话框"));
        assert!(elsewhere("剪纸").is_empty());
    }
}
