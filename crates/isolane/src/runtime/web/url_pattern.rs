//! Native half of URLPattern: parses patterns, and the inputs that are matched against them, into
//! components. Matching itself is the guest's RegExp engine, which looks whether it is to stop.
//!
//! Stateless; called on the thread that holds the isolate.

use std::panic::{AssertUnwindSafe, catch_unwind};

use urlpattern::component::Component;
use urlpattern::regexp::RegExp;
use urlpattern::{
    RegexSyntax, UrlPattern, UrlPatternInit, UrlPatternMatchInput, UrlPatternOptions, quirks,
};
use v8::{FunctionCallbackArguments, Local, PinScope, ReturnValue, Value};

use crate::runtime::values;

use super::throw::throw_type_error;

/// The longest pattern: the parser compares the names of all groups with each other.
const MAX_PATTERN: usize = 16 << 10;

/// A component's regular expression, which only the guest's engine compiles.
struct GuestRegExp(String);

impl RegExp for GuestRegExp {
    fn syntax() -> RegexSyntax {
        RegexSyntax::EcmaScript
    }

    fn parse(pattern: &str, _flags: &str, _force_eval: bool) -> Result<Self, ()> {
        Ok(Self(pattern.to_owned()))
    }

    /// Used for one question only: whether a pattern of a protocol matches a special scheme.
    fn matches<'a>(&self, text: &'a str) -> Option<Vec<Option<&'a str>>> {
        let mut builder = regex::RegexBuilder::new(&self.0);
        // What a guest may have compiled without being looked at.
        let regexp = builder.size_limit(1 << 18).nest_limit(50).build().ok()?;
        let captures = regexp.captures(text)?;
        let groups = captures.iter().skip(1);
        Some(
            groups
                .map(|group| group.map(|group| group.as_str()))
                .collect(),
        )
    }

    fn pattern_string(&self) -> &str {
        &self.0
    }
}

/// The members of a `URLPatternInit`, in the order in which the guest side lists them.
fn init_of(
    scope: &mut PinScope<'_, '_>,
    list: Local<'_, v8::Array>,
) -> Option<quirks::UrlPatternInit> {
    let member = |index| {
        let value = list.get_index(scope, index)?;
        let text = Local::<v8::String>::try_from(value).ok();
        Some(text.map(|text| text.to_rust_string_lossy(scope)))
    };
    Some(quirks::UrlPatternInit {
        protocol: member(0)?,
        username: member(1)?,
        password: member(2)?,
        hostname: member(3)?,
        port: member(4)?,
        pathname: member(5)?,
        search: member(6)?,
        hash: member(7)?,
        base_url: member(8)?,
    })
}

/// A string or a list of members, and the base URL beside it.
fn arguments<'s>(
    scope: &mut PinScope<'s, '_>,
    args: &FunctionCallbackArguments<'s>,
) -> Option<(quirks::StringOrInit<'static>, Option<String>)> {
    let base = args.get(1);
    let base = base.is_string().then(|| base.to_rust_string_lossy(scope));
    let input = match Local::<v8::Array>::try_from(args.get(0)) {
        Ok(list) => quirks::StringOrInit::Init(init_of(scope, list)?),
        Err(_) => quirks::StringOrInit::String(args.get(0).to_rust_string_lossy(scope).into()),
    };
    Some((input, base))
}

fn is_too_long(input: &quirks::StringOrInit<'_>) -> bool {
    match input {
        quirks::StringOrInit::String(text) => text.len() > MAX_PATTERN,
        quirks::StringOrInit::Init(init) => {
            let members = [
                &init.protocol,
                &init.username,
                &init.password,
                &init.hostname,
                &init.port,
                &init.pathname,
                &init.search,
                &init.hash,
            ];
            members
                .into_iter()
                .flatten()
                .any(|text| text.len() > MAX_PATTERN)
        }
    }
}

/// Runs the parser on what a guest chose: a panic, which must not unwind into V8, is an error.
fn contained<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("the input is not valid".to_owned()))
}

fn compile(
    input: quirks::StringOrInit<'_>,
    base: Option<&str>,
    ignore_case: bool,
) -> Result<UrlPattern<GuestRegExp>, String> {
    if is_too_long(&input) {
        return Err("the pattern is too long".to_owned());
    }
    let say = |error: urlpattern::Error| error.to_string();
    let init = match input {
        quirks::StringOrInit::String(pattern) => {
            let base = base.map(url::Url::parse).transpose();
            let base = base.map_err(|error| format!("the base URL: {error}"))?;
            UrlPatternInit::parse_constructor_string::<GuestRegExp>(&pattern, base).map_err(say)?
        }
        init @ quirks::StringOrInit::Init(_) => {
            quirks::process_construct_pattern_input(init, base).map_err(say)?
        }
    };
    let options = UrlPatternOptions {
        regex_syntax: RegexSyntax::EcmaScript,
        ignore_case,
    };
    UrlPattern::parse(init, options).map_err(say)
}

/// `urlPatternParse(input, baseURL | undefined, ignoreCase)`: whether there are groups with regular
/// expressions of the guest's, then for each component its pattern, its regular expression and the
/// names of its groups. Throws a TypeError where the pattern is not valid.
pub(crate) fn parse<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let Some((input, base)) = arguments(scope, &args) else {
        return;
    };
    let ignore_case = args.get(2).is_true();
    let pattern = match contained(|| compile(input, base.as_deref(), ignore_case)) {
        Ok(pattern) => pattern,
        Err(why) => {
            throw_type_error(scope, &format!("Failed to construct 'URLPattern': {why}"));
            return;
        }
    };
    let has_groups = v8::Boolean::new(scope, pattern.has_regexp_groups());
    let mut elements: Vec<Local<Value>> = vec![has_groups.into()];
    for component in [
        &pattern.protocol,
        &pattern.username,
        &pattern.password,
        &pattern.hostname,
        &pattern.port,
        &pattern.pathname,
        &pattern.search,
        &pattern.hash,
    ] {
        elements.extend(component_values(scope, component));
    }
    rv.set(v8::Array::new_with_elements(scope, &elements).into());
}

fn component_values<'s>(
    scope: &mut PinScope<'s, '_>,
    component: &Component<GuestRegExp>,
) -> [Local<'s, Value>; 3] {
    let regexp = component.regexp.as_ref().map_or("", RegExp::pattern_string);
    let names = component.group_name_list.iter();
    let names: Vec<_> = names.map(|name| values::string(scope, name)).collect();
    [
        values::string(scope, &component.pattern_string),
        values::string(scope, regexp),
        v8::Array::new_with_elements(scope, &names).into(),
    ]
}

/// `urlPatternInput(input, baseURL | undefined)`: the components of what is matched, or null where it
/// is no URL.
pub(crate) fn input<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    rv.set_null();
    let Some((input, base)) = arguments(scope, &args) else {
        return;
    };
    let components = contained(|| {
        let input = quirks::process_match_input(input, base.as_deref())
            .map_err(|error| error.to_string())?;
        Ok(input.and_then(|(input, _)| components_of(input)))
    });
    let Ok(Some(components)) = components else {
        return;
    };
    let elements = components.map(|component| values::string(scope, &component));
    rv.set(v8::Array::new_with_elements(scope, &elements).into());
}

fn components_of(input: UrlPatternMatchInput) -> Option<[String; 8]> {
    let input = quirks::parse_match_input(input)?;
    Some([
        input.protocol,
        input.username,
        input.password,
        input.hostname,
        input.port,
        input.pathname,
        input.search,
        input.hash,
    ])
}
