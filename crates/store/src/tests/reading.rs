//! Parts of conversations.

use super::*;
use bedside_protocol::Amend;

#[test]
fn a_part_is_what_is_here_of_it() {
    let cache = Cache::new();
    let Change::Entries { conversation: id, entries: wanted, .. } = entries("a", 5..=9) else { panic!() };
    cache.sync(vec![Change::Summary(conversation("a", 9, 9, None)), entries("a", 5..=9)]);
    let reader = cache.reader();
    let part = |from, to| reader.part(&id, Seq::new(from), Seq::new(to)).unwrap().unwrap();
    assert_eq!(part(6, 7).entries, wanted[1..=2]);
    assert_eq!(part(1, 5).entries, wanted[..=0]);
    assert_eq!(part(8, u64::MAX).entries, wanted[3..]);
    assert_eq!(part(1, 4).range, Range::new(Seq::new(5), Seq::new(9)), "what is here is known all the same");
    assert_eq!(reader.part(&ConversationId::new("b").unwrap(), Seq::ZERO, Seq::MAX).unwrap(), None);
    assert!(!reader.is_taken_back(wanted[0].id).unwrap());
    let Change::Entries { conversation, range, mut entries } = entries("a", 10..=10) else { panic!() };
    entries[0].body = Body::Amend(Amend { target: wanted[0].id, text: None, extra: Extra::new() });
    cache.sync(vec![Change::Entries { conversation, range: Range { lo: Seq::new(5), ..range }, entries }]);
    assert!(reader.is_taken_back(wanted[0].id).unwrap());
    assert!(!reader.is_taken_back(wanted[1].id).unwrap());
    assert!(reader.holds(wanted[0].id).unwrap());
    assert!(!reader.holds(EntryId::from_parts(Time::new(4), [1; 10])).unwrap());
}
