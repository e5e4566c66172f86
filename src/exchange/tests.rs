//! What is said of a resource, in Dublin Core and in LOM.

use super::{Item, dublin_core_meta, lom};
use crate::catalogue::{
    Contributor, Details, Level, Library, LocalMark, Particulars, Resource, Stage, Vouched,
    test_resource,
};

fn resource() -> Resource {
    let particulars = Particulars {
        keywords: vec!["织网".into()],
        contributors: vec![Contributor { name: "王丽; 乙".into(), role: "camera".into() }],
        publisher: "文化馆".into(),
        made: "2019-05".into(),
        place: "官草汪".into(),
        place_code: "371103001001".into(),
        difficulty: "very-easy".into(),
        learning_minutes: Some(90),
        rights_holder: "官草汪村".into(),
        evidence: "permission".into(),
        evidence_words: "本人同意".into(),
        evidence_paper: "三号柜".into(),
        source_url: "https://source.example/?a=1&b=2".into(),
        local: Some(LocalMark {
            origin: "岚山".into(),
            bearer: "王秀英".into(),
            dialect: "jiaoliao".into(),
            dialect_words: "安东卫口音".into(),
            heritage: "city".into(),
        }),
    };
    let details = Details { title: "编网".into(), particulars, ..Details::default() };
    Resource { details, published_ms: Some(0), ..test_resource(Stage::Published) }
}

/// Checks `with` what is told of `resource`.
fn told(resource: &Resource, with: impl FnOnce(&Item<'_>)) {
    let library = Library::new("village".parse().expect("a slug"), "村库", 0);
    let vouched = [Vouched {
        organisation: "岚山头街道".into(),
        level: Level::Township,
        at_ms: 0,
        note: "见过".into(),
    }];
    with(&Item { resource, library: &library, vouched: &vouched, origin: "https://a.example" });
}

#[test]
fn dublin_core_has_all_that_it_has_elements_for() {
    told(&resource(), |item| {
        let meta = dublin_core_meta(item);
        let all = |name: &str| -> Vec<&str> {
            let named = meta.iter().filter(|(known, ..)| known == name);
            named.map(|(.., text)| text.as_str()).collect()
        };
        assert_eq!(all("DC.subject"), ["织网", "地方特色", "胶辽官话", "安东卫口音", "市级非遗"]);
        assert_eq!(all("DC.contributor"), ["王丽; 乙（摄影摄像）", "王秀英（传承人）"]);
        assert_eq!(all("DC.publisher"), ["文化馆"]);
        assert_eq!(all("DC.date"), ["2019-05", "1970-01-01"]);
        assert_eq!(all("DC.coverage"), ["官草汪", "371103001001", "岚山"]);
        assert_eq!(all("DC.source"), ["https://source.example/?a=1&b=2"]);
        assert_eq!(all("DC.rights"), ["权利人：官草汪村", "权利依据：权利人书面同意"]);
        assert!(meta.iter().all(|(.., text)| !text.contains("三号柜")));
    });
    let plain = Resource { details: Details::default(), ..resource() };
    told(&plain, |item| {
        let meta = dublin_core_meta(item);
        assert!(meta.iter().all(|(.., text)| !text.is_empty()));
        assert!(meta.iter().any(|(name, _, text)| name == "DC.publisher" && text == "村库"));
    });
}

#[test]
fn lom_has_all_of_it() {
    told(&resource(), |item| {
        let text = lom(item, "oai:a:1");
        for part in [
            "<coverage><string>官草汪</string>",
            "<string>371103001001</string>",
            "FN:王丽\\; 乙",
            "ROLE:摄影摄像",
            "technical implementer",
            "<dateTime>2019-05</dateTime>",
            "<value>very easy</value>",
            "<typicalLearningTime><duration>PT1H30M0S</duration>",
            "权利人：官草汪村；权利依据：权利人书面同意",
            "isbasedon",
            "https://source.example/?a=1&amp;b=2",
            "<annotation><entity>BEGIN:VCARD",
            "地方特色认证 见过",
            "<id>jiaoliao</id>",
            "<id>city</id>",
            "来自：岚山；传承人：王秀英；方言：安东卫口音",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains("三号柜") && !text.contains("本人同意"));
    });
}
