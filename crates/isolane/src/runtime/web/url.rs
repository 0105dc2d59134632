//! Native half of the URL family: parsing and the URL setters (WHATWG URL Standard).
//!
//! Stateless; called on whichever thread holds the isolate. `engine` is the only part that knows which parser
//! does the work: the guest sees a serialised URL and the offsets of its components.

use v8::{FunctionCallbackArguments, Local, PinScope, ReturnValue, Value};

/// `urlParse(input, base | undefined)`: `[href, ...offsets]`, or null where the input is not a valid URL.
pub(crate) fn parse<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let parsed = parse_arguments(scope, &args);
    return_parts(scope, parsed, &mut rv);
}

/// `urlCanParse(input, base | undefined)`: whether `urlParse` would give a URL.
pub(crate) fn can_parse<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    rv.set_bool(parse_arguments(scope, &args).is_some());
}

/// `urlSet(href, part, value)`: what `urlParse` gives for the changed URL, or null where the setter must not
/// change it.
pub(crate) fn set<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let href = args.get(0).to_rust_string_lossy(scope);
    let part = args
        .get(1)
        .int32_value(scope)
        .and_then(engine::Part::from_code);
    let value = args.get(2).to_rust_string_lossy(scope);
    let changed = part.and_then(|part| contained(|| engine::set(&href, part, &value)));
    return_parts(scope, changed, &mut rv);
}

fn parse_arguments<'s>(
    scope: &mut PinScope<'s, '_>,
    args: &FunctionCallbackArguments<'s>,
) -> Option<engine::Parsed> {
    let base = args.get(1);
    let base = (!base.is_undefined()).then(|| base.to_rust_string_lossy(scope));
    let input = Local::<v8::String>::try_from(args.get(0)).ok()?;
    let mut buffer = [std::mem::MaybeUninit::uninit(); 512];
    let input = input.to_rust_cow_lossy(scope, &mut buffer);
    contained(|| engine::parse(&input, base.as_deref()))
}

/// Runs the parser on what a guest chose: a panic, which must not unwind into V8, makes the input invalid.
fn contained<T>(run: impl FnOnce() -> Option<T>) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
        .ok()
        .flatten()
}

fn return_parts(scope: &mut PinScope, parsed: Option<engine::Parsed>, rv: &mut ReturnValue) {
    let href = parsed.as_ref().and_then(|parsed| {
        v8::String::new_from_one_byte(scope, parsed.href.as_bytes(), v8::NewStringType::Normal)
    });
    let (Some(parsed), Some(href)) = (parsed, href) else {
        rv.set_null();
        return;
    };
    let mut elements = [Local::<Value>::from(href); 1 + engine::OFFSETS];
    for (element, offset) in elements[1..].iter_mut().zip(parsed.offsets) {
        *element = v8::Integer::new_from_unsigned(scope, offset).into();
    }
    rv.set(v8::Array::new_with_elements(scope, &elements).into());
}

/// The URL parser in use.
pub(crate) mod engine {
    use url::{Position, Url, quirks};

    pub(crate) const OFFSETS: usize = 7;

    /// A serialised URL, which is always ASCII, and where its components are.
    ///
    /// ```text
    /// https://user:pass@example.com:1234/foo/bar?baz#quux
    ///       |     |     |          |    |       |   |
    ///       |     |     |          |    |       |   hash start (or the end)
    ///       |     |     |          |    |       search start (or the hash's)
    ///       |     |     |          |    path start
    ///       |     |     |          host end
    ///       |     |     host start
    ///       |     username end
    ///       protocol end
    /// ```
    pub(crate) struct Parsed {
        pub(crate) href: String,
        pub(crate) offsets: [u32; OFFSETS],
    }

    /// A component that has a setter; the codes are those of `Part` in guest/url.ts.
    #[derive(Clone, Copy)]
    pub(crate) enum Part {
        Protocol,
        Username,
        Password,
        Host,
        Hostname,
        Port,
        Pathname,
        Search,
        Hash,
    }

    impl Part {
        pub(crate) fn from_code(code: i32) -> Option<Self> {
            Some(match code {
                0 => Self::Protocol,
                1 => Self::Username,
                2 => Self::Password,
                3 => Self::Host,
                4 => Self::Hostname,
                5 => Self::Port,
                6 => Self::Pathname,
                7 => Self::Search,
                8 => Self::Hash,
                _ => return None,
            })
        }
    }

    pub(crate) fn parse(input: &str, base: Option<&str>) -> Option<Parsed> {
        let Some(base) = base else {
            return Parsed::new(Url::parse(input).ok()?);
        };
        let base = Url::parse(base).ok()?;
        if is_special(base.scheme()) && starts_with_two_slashes(input) {
            // Of the base only the scheme counts then, and after a special scheme any number of slashes may
            // stand, which the parser knows of absolute URLs only.
            let absolute = format!(
                "{}:{}",
                base.scheme(),
                input.trim_start_matches(is_c0_or_space)
            );
            return Parsed::new(Url::parse(&absolute).ok()?);
        }
        Parsed::new(base.join(input).ok()?)
    }

    /// Whether it is a special scheme other than "file".
    fn is_special(scheme: &str) -> bool {
        matches!(scheme, "http" | "https" | "ws" | "wss" | "ftp")
    }

    fn is_c0_or_space(c: char) -> bool {
        c <= ' '
    }

    fn starts_with_two_slashes(input: &str) -> bool {
        let mut significant = input
            .trim_start_matches(is_c0_or_space)
            .chars()
            .filter(|c| !matches!(c, '\t' | '\n' | '\r'));
        let mut is_slash = || matches!(significant.next(), Some('/' | '\\'));
        is_slash() && is_slash()
    }

    pub(crate) fn set(href: &str, part: Part, value: &str) -> Option<Parsed> {
        let mut url = Url::parse(href).ok()?;
        match part {
            Part::Protocol => quirks::set_protocol(&mut url, value).ok()?,
            Part::Username => quirks::set_username(&mut url, value).ok()?,
            Part::Password => quirks::set_password(&mut url, value).ok()?,
            Part::Host if lacks_authority(&url) => {
                return with_authority(&url, |dummy| quirks::set_host(dummy, value));
            }
            Part::Host => quirks::set_host(&mut url, value).ok()?,
            Part::Hostname if lacks_authority(&url) => {
                return with_authority(&url, |dummy| quirks::set_hostname(dummy, value));
            }
            Part::Hostname => quirks::set_hostname(&mut url, value).ok()?,
            Part::Port => quirks::set_port(&mut url, value).ok()?,
            Part::Pathname if !is_special(url.scheme()) && url.scheme() != "file" => {
                return with_path(&url, value);
            }
            Part::Pathname => quirks::set_pathname(&mut url, value),
            Part::Search => quirks::set_search(&mut url, value),
            Part::Hash => quirks::set_hash(&mut url, value),
        }
        Parsed::new(url)
    }

    /// Whether nothing but a path can follow the scheme's colon; such a URL may have "/." before a path like "//p".
    fn lacks_authority(url: &Url) -> bool {
        !url.cannot_be_a_base() && !url[Position::AfterScheme..].starts_with("://")
    }

    /// A URL of the same scheme that has a host, to apply a setter to which the parser applies rightly there only.
    fn dummy(url: &Url) -> Option<Url> {
        Url::parse(&format!("{}://host", url.scheme())).ok()
    }

    /// Gives a host to a URL without one.
    fn with_authority(url: &Url, set: impl FnOnce(&mut Url) -> Result<(), ()>) -> Option<Parsed> {
        let mut dummy = dummy(url)?;
        set(&mut dummy).ok()?;
        let authority = &dummy[..Position::BeforePath];
        Parsed::new(Url::parse(&format!("{authority}{}", &url[Position::BeforePath..])).ok()?)
    }

    /// Gives another path to a URL whose scheme is not special.
    fn with_path(url: &Url, value: &str) -> Option<Parsed> {
        if url.cannot_be_a_base() {
            return None;
        }
        let mut dummy = dummy(url)?;
        quirks::set_pathname(&mut dummy, value);
        let path = dummy.path();
        let start = if lacks_authority(url) {
            let scheme = url.scheme();
            match path {
                "" => format!("{scheme}:/"),
                _ if path.starts_with("//") => format!("{scheme}:/."),
                _ => format!("{scheme}:"),
            }
        } else {
            url[..Position::AfterPort].to_owned()
        };
        let rest = &url[Position::AfterPath..];
        Parsed::new(Url::parse(&format!("{start}{path}{rest}")).ok()?)
    }

    impl Parsed {
        fn new(url: Url) -> Option<Self> {
            let at = |position| url[..position].len() as u32;
            let offsets = [
                at(Position::AfterScheme) + 1,
                at(Position::AfterUsername),
                at(Position::BeforeHost),
                at(Position::AfterHost),
                at(Position::BeforePath),
                at(Position::AfterPath),
                at(Position::AfterQuery),
            ];
            let href = String::from(url);
            // Byte offsets are string indices only in ASCII, which every serialised URL is.
            href.is_ascii().then_some(Self { href, offsets })
        }
    }
}
