//! From bytes to text: which of the encodings that captions come in.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, UTF_16BE, UTF_16LE};

/// How much of a file is looked at to tell legacy encodings apart, in bytes.
const SAMPLE: usize = 64 << 10;

/// The text without byte order mark; None when the bytes are no text.
///
/// By byte order mark; else UTF-16 by its zero bytes; else UTF-8 if valid; else one of the
/// legacy encodings, of which GB18030 and Big5 are told apart by how common their characters are.
pub(crate) fn decode(bytes: &[u8]) -> Option<String> {
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, &bytes[length..]),
        None => match utf16(bytes) {
            Some(encoding) => (encoding, bytes),
            None => match std::str::from_utf8(bytes) {
                Ok(text) => return is_text(text).then(|| text.to_owned()),
                Err(_) => (legacy(bytes), bytes),
            },
        },
    };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    is_text(&text).then(|| text.into_owned())
}

/// UTF-16 without a mark has a zero in every second byte of each digit, space and line end.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|b| **b == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    let enough = sample.len() / 16;
    match (first > enough && first > 4 * second, second > enough && second > 4 * first) {
        (true, _) => Some(UTF_16BE),
        (_, true) => Some(UTF_16LE),
        _ => None,
    }
}

/// GB18030 or Big5 if it reads as Chinese, else what the detector thinks.
fn legacy(bytes: &[u8]) -> &'static Encoding {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    let (simplified, traditional) = (plausibility(sample, GB18030), plausibility(sample, BIG5));
    let best = simplified.max(traditional);
    if best <= 0 {
        return guess;
    }
    if simplified == traditional {
        return if guess == BIG5 { BIG5 } else { GB18030 };
    }
    if simplified > traditional { GB18030 } else { BIG5 }
}

/// How much the bytes read as Chinese in this encoding: common characters and punctuation
/// speak for it, rare ones a little and errors much against it.
fn plausibility(bytes: &[u8], encoding: &'static Encoding) -> i64 {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    text.chars()
        .map(|c| match c {
            '\u{FFFD}' => -20,
            _ if c.is_ascii() => 0,
            _ if COMMON.contains(c) => 5,
            '\u{3001}' | '\u{3002}' | '\u{300A}'..='\u{300F}' | '\u{FF01}'..='\u{FF1F}' => 3,
            '\u{4E00}'..='\u{9FFF}' => -2,
            _ => -4,
        })
        .sum()
}

/// The characters that most of Chinese speech is made of, simplified and traditional.
const COMMON: &str = "的一是不了在人有我他这这個个们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于於\
着著下自之年过過发發后後作里裡裏用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進\
好小部其些主样樣理心她本前开開但因只从從想实實日军軍者意无無力它与與长長把机機十民第公此已工使情明性知全三又关關\
点點正业業外将將两兩高间間由问問很最重并並物手应應战戰向头頭文体體政美相见見被利什二等产產或新己制身果加西斯月话話\
合回特代内內信表化老给給世位次度门門任常先海通教儿兒原东東声聲提立及比员員解水名真论論处處走义義各入几幾口认認条條\
平系气氣题題活尔爾更别別打女变變四神总總何电電数數安少报報才结結反受目太量再感建务務做接必场場件计計管期市直德资資\
命山金指克许許统統区區保至队隊形社便空决決治展马馬科司五基眼书書非则則听聽白却卻界达達光放强強即像难難且权權思王象\
完设設式色路记記南品住告类類求据據程北边邊死张張该該交规規万萬取拉格望觉覺术術领領共确確传傳师師观觀清今切院让讓识\
識候带帶导導争爭运運笑飞飛风風步改收根干造言联聯持组組每济濟车車亲親极極林服快办辦议議往元英士证證近失转轉夫令准布\
始怎呢存未远遠叫台单單影具罗羅字爱愛击擊流备備兵连連调調深商算质質团團集百需价價花党黨华華城石级級整府离離况況亚亞\
请請技际際约約示复復病息究线線似官火断斷精满滿支视視消越器容照须須九增研写寫称稱企八功吗嗎包片史委乎查轻輕易早曾除\
农農找装裝广廣显顯吧阿李标標谈談吃图圖念六引历歷首医醫局突专專费費号號尽盡另周较較注语語仅僅考落青随隨选選列武红紅\
响響虽雖推势勢参參希古众眾构構房半节節土投某案黑维維革划劃敌敵致陈陳律足态態护護七兴興派孩验驗责責营營星够夠章音跟\
志底站严嚴巴例防族供效续續施留讲講型料终終答紧緊黄黃绝絕奇察母京段依批群项項故按河米围圍江织織害斗鬥双雙境客纪紀采\
渔漁网網编編剪纸紙课課资資村镇鎮街习習";

/// Few characters that no text has.
fn is_text(text: &str) -> bool {
    let odd = |c: &char| {
        *c == '\u{FFFD}'
            || (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{C}' | '\u{1A}'))
    };
    let sample = || text.chars().take(SAMPLE);
    sample().filter(odd).count() * 20 <= sample().count()
}
