//! Looks through JSON texts before V8's parser gets them. That one never looks whether it was told to
//! stop, and keeps forty bytes outside of the heap for each level and sixteen for each element until a list
//! is complete: a text of 60 MB that only opens lists makes it take gigabytes.
//!
//! Stateless; runs on whichever thread holds the isolate.

use crate::runtime::realm_state::RealmState;

use super::throw::throw_range_error;

/// How many levels a text may have.
const MAX_DEPTH: usize = 1 << 17;

/// What an element or a property takes of the heap at least: one slot.
const SLOT_BYTES: usize = 8;

/// `host.jsonCheck(text)`: throws a RangeError where V8 is not to parse that text. Texts of less than 2^17
/// characters need no look.
pub(crate) fn check<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    args: v8::FunctionCallbackArguments<'s>,
    _rv: v8::ReturnValue,
) {
    if let (Ok(text), Some(realm)) = (args.get(0).try_cast::<v8::String>(), RealmState::of(scope)) {
        is_fit(scope, realm, text);
    }
}

/// Parses a text; `None` where that threw.
pub(crate) fn parse<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    text: v8::Local<'s, v8::String>,
) -> Option<v8::Local<'s, v8::Value>> {
    is_fit(scope, realm, text).then(|| v8::json::parse(scope, text))?
}

/// Whether V8 may parse a text; throws where it may not.
fn is_fit<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    realm: &RealmState,
    text: v8::Local<'s, v8::String>,
) -> bool {
    if text.length() < MAX_DEPTH {
        return true;
    }
    let max_parts = realm.guards.heap.limit() / SLOT_BYTES;
    let is_fit = match v8::ValueView::new(scope, text).data() {
        v8::ValueViewData::OneByte(text) => is_within(text, max_parts),
        v8::ValueViewData::TwoByte(text) => is_within(text, max_parts),
    };
    if !is_fit {
        throw_range_error(scope, "The JSON text has too many levels or parts");
    }
    is_fit
}

/// Whether a text is within bounds; most are by the quick count already.
fn is_within<C: Copy + Into<u32>>(text: &[C], max_parts: usize) -> bool {
    let allowed = |shape: Shape| shape.depth <= MAX_DEPTH && shape.parts <= max_parts;
    allowed(Shape::upper(text)) || allowed(Shape::of(text))
}

/// What a text comes to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    /// How many lists and objects are open at the same time.
    depth: usize,
    /// How many elements and properties there are, at most one less for each list or object.
    parts: usize,
}

impl Shape {
    /// At most this: also counts what is inside of strings, and nothing that closes. Without a branch, so
    /// that it takes little beside the parser.
    fn upper<C: Copy + Into<u32>>(text: &[C]) -> Self {
        let (mut depth, mut commas) = (0, 0);
        for block in text.chunks(255) {
            let (mut opened, mut separated) = (0_u8, 0_u8);
            for &character in block {
                let character: u32 = character.into();
                // The codes of [ and { differ in one bit.
                opened += u8::from(character | 0x20 == u32::from(b'{'));
                separated += u8::from(character == u32::from(b','));
            }
            depth += usize::from(opened);
            commas += usize::from(separated);
        }
        Self {
            depth,
            parts: depth + commas,
        }
    }

    /// What is outside of strings; of a text that is no JSON, anything.
    fn of<C: Copy + Into<u32>>(text: &[C]) -> Self {
        let mut shape = Self::default();
        let mut open = 0_usize;
        let mut characters = text.iter().map(|&character| character.into());
        while let Some(character) = characters.next() {
            match u8::try_from(character).unwrap_or_default() {
                b'"' => skip_string(&mut characters),
                b'[' | b'{' => {
                    open += 1;
                    shape.parts += 1;
                    shape.depth = shape.depth.max(open);
                }
                b']' | b'}' => open = open.saturating_sub(1),
                b',' => shape.parts += 1,
                _ => {}
            }
        }
        shape
    }
}

/// Goes on to behind the string that has begun.
fn skip_string(characters: &mut impl Iterator<Item = u32>) {
    while let Some(character) = characters.next() {
        if character == u32::from(b'"') {
            return;
        }
        if character == u32::from(b'\\') {
            characters.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_parts_are_those_outside_of_strings() {
        let shape = |text: &str| {
            let units: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(Shape::of(text.as_bytes()), Shape::of(&units));
            let Shape { depth, parts } = Shape::of(&units);
            (depth, parts)
        };
        assert_eq!(shape("1"), (0, 0));
        assert_eq!(shape("[[1,2],[]]"), (2, 5));
        assert_eq!(shape(r#"{"a":{"b":1,"c":[]}}"#), (3, 4));
        assert_eq!(shape(r#"["[[[,,,","\"[,","\\",[1]]"#), (2, 5));
        assert_eq!(shape("]]]["), (1, 1));
    }

    #[test]
    fn the_quick_count_is_never_less() {
        for text in ["[[1,2],[]]", r#"["[[,",{"a":[1,{}]}]"#, "]]][", ""] {
            let (upper, exact) = (Shape::upper(text.as_bytes()), Shape::of(text.as_bytes()));
            assert!(
                upper.depth >= exact.depth && upper.parts >= exact.parts,
                "{text}"
            );
        }
        let long = "[,".repeat(100_000);
        assert_eq!(
            Shape::upper(long.as_bytes()),
            Shape {
                depth: 100_000,
                parts: 200_000
            }
        );
    }

    #[test]
    fn brackets_in_a_string_are_not_held_against_a_text() {
        let text = format!("[{:?}]", "[,".repeat(MAX_DEPTH * 2));
        assert!(is_within(text.as_bytes(), 100));
        assert_eq!(Shape::of(text.as_bytes()), Shape { depth: 1, parts: 1 });
    }
}
