//! JSON Web Keys (RFC 7517): their members, and their form as text inside wrapped keys.

use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use super::key::usage;
use super::{Fault, Secret};

/// The most text that a wrapped JSON Web Key may have.
const MAX_TEXT_BYTES: usize = 1 << 20;

macro_rules! members {
    ($($field:ident => $name:literal),* $(,)?) => {
        /// The members that Web Cryptography reads and writes.
        #[derive(Default)]
        pub(crate) struct Jwk {
            $(pub(crate) $field: Option<String>,)*
            pub(crate) key_ops: Option<Vec<String>>,
            pub(crate) ext: Option<bool>,
            /// There are more than two primes.
            pub(crate) has_other_primes: bool,
        }

        impl Jwk {
            /// The names of the members that are text; the order is shared with `guest/crypto_jwk.ts`.
            pub(crate) const TEXTS: &'static [&'static str] = &[$($name),*];

            /// The members that are text, in the order of their names.
            pub(crate) fn texts(&self) -> Vec<Option<&str>> {
                vec![$(self.$field.as_deref()),*]
            }

            /// Makes one of texts in the order of their names.
            pub(crate) fn from_texts(texts: impl IntoIterator<Item = Option<String>>) -> Self {
                let (mut jwk, mut texts) = (Self::default(), texts.into_iter());
                $(jwk.$field = texts.next().flatten();)*
                jwk
            }
        }

        impl Drop for Jwk {
            fn drop(&mut self) {
                $(self.$field.zeroize();)*
            }
        }
    };
}

members! {
    kty => "kty",
    usage => "use",
    alg => "alg",
    crv => "crv",
    x => "x",
    y => "y",
    d => "d",
    n => "n",
    e => "e",
    p => "p",
    q => "q",
    dp => "dp",
    dq => "dq",
    qi => "qi",
    k => "k",
}

impl Jwk {
    /// Reads the text of a key that was wrapped.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Fault> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(Fault::data("The JSON Web Key is too long"));
        }
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        let text = Zeroizing::new(String::from_utf8_lossy(text).into_owned());
        let Ok(Value::Object(mut members)) = serde_json::from_str::<Value>(&text) else {
            return Err(Fault::data("The unwrapped data is not a JSON Web Key"));
        };
        let mut texts = Vec::with_capacity(Self::TEXTS.len());
        for name in Self::TEXTS {
            texts.push(members.remove(*name).map(text_of).transpose()?);
        }
        let mut jwk = Self::from_texts(texts);
        jwk.key_ops = members.remove("key_ops").map(list_of).transpose()?;
        jwk.ext = members.remove("ext").map(truth_of);
        jwk.has_other_primes = members.contains_key("oth");
        Ok(jwk)
    }

    /// The text in which the key is wrapped.
    pub(super) fn to_text(&self) -> Secret {
        let mut members = Map::new();
        for (name, text) in Self::TEXTS.iter().zip(self.texts()) {
            if let Some(text) = text {
                members.insert((*name).to_owned(), text.into());
            }
        }
        if let Some(operations) = &self.key_ops {
            members.insert("key_ops".to_owned(), operations.clone().into());
        }
        if let Some(ext) = self.ext {
            members.insert("ext".to_owned(), ext.into());
        }
        let text = Secret::new(Value::Object(members.clone()).to_string().into_bytes());
        for value in members.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
        text
    }

    /// Notes what the key may be used for.
    pub(super) fn describe(&mut self, usages: u32, extractable: bool) {
        let names = usage::NAMES.iter().enumerate();
        let allowed = names.filter(|(bit, _)| usages & 1 << bit != 0);
        self.key_ops = Some(allowed.map(|(_, name)| (*name).to_owned()).collect());
        self.ext = Some(extractable);
    }
}

/// A member as Web IDL converts it to a string.
fn text_of(value: Value) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Array(_) | Value::Object(_) => {
            Err(Fault::data("A member of the JSON Web Key is not a string"))
        }
    }
}

fn list_of(value: Value) -> Result<Vec<String>, Fault> {
    match value {
        Value::Array(items) => items.into_iter().map(text_of).collect(),
        _ => Err(Fault::data("The key_ops of the JSON Web Key is not a list")),
    }
}

fn truth_of(value: Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => truth,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// The bytes of a member; `name` says which.
pub(super) fn decode(member: Option<&str>, name: &str) -> Result<Secret, Fault> {
    let Some(text) = member else {
        return Err(Fault::data(format!("The JSON Web Key has no {name}")));
    };
    match base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text) {
        Ok(bytes) => Ok(Secret::new(bytes)),
        Err(_) => Err(Fault::data(format!(
            "The {name} of the JSON Web Key is not base64url"
        ))),
    }
}

/// Bytes as a member.
pub(super) fn encode(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}
