//! Native half of `crypto.subtle` (W3C Web Cryptography, section 14). The guest side has normalized the
//! algorithms and checked what of a key is visible; all that touches key material is here and in
//! [`crate::crypto`].
//!
//! Each operation answers its result, or the callback id of an answer to come. Called on whichever
//! thread holds the isolate.

use v8::{FunctionCallbackArguments, PinScope, ReturnValue};

use crate::crypto::{self, Fault, Format, Generation, Output, Task};
use crate::runtime::realm_state::RealmState;
use crate::runtime::values;

use super::computing::{self, value_of};
use super::subtle_arguments::{Arguments, Read, unexpected};
use super::throw::throw_dom_exception;
use super::timers::id_of;

/// Reads a task and starts it.
fn perform<'s>(
    scope: &mut PinScope<'s, '_>,
    values: &FunctionCallbackArguments<'s>,
    value: ReturnValue,
    read: impl FnOnce(&mut PinScope<'s, '_>, &mut Arguments<'_, 's>) -> Read<Task>,
) {
    v8::tc_scope!(let scope, scope);
    let Some(mut arguments) = Arguments::new(scope, values) else {
        return;
    };
    match read(scope, &mut arguments) {
        Some(task) => {
            let realm = arguments.realm;
            computing::start(scope, realm, task, arguments.charges, value);
        }
        None if scope.has_caught() => {}
        None => throw(scope, &unexpected()),
    }
    if scope.has_caught() {
        scope.rethrow();
    }
}

fn throw(scope: &mut PinScope<'_, '_>, fault: &Fault) {
    throw_dom_exception(scope, fault.name, &fault.message);
}

/// `subtleDigest(hash, data)`.
pub(crate) fn digest<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    rv: ReturnValue,
) {
    perform(scope, &args, rv, |scope, arguments| {
        Some(Task::Digest {
            hash: arguments.hash()?,
            data: arguments.bytes(scope)?,
        })
    });
}

/// `subtleCrypt(decrypts, key, first, second, number, data)`.
pub(crate) fn crypt<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    rv: ReturnValue,
) {
    perform(scope, &args, rv, |scope, arguments| {
        let decrypts = arguments.flag();
        let key = arguments.key()?;
        let cipher = arguments.cipher(scope, &key)?;
        let data = arguments.bytes(scope)?;
        Some(if decrypts {
            Task::Decrypt { key, cipher, data }
        } else {
            Task::Encrypt { key, cipher, data }
        })
    });
}

/// `subtleSign(key, hash, saltLength, context, data)`.
pub(crate) fn sign<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    rv: ReturnValue,
) {
    perform(scope, &args, rv, |scope, arguments| {
        Some(Task::Sign {
            key: arguments.key()?,
            scheme: arguments.scheme(scope)?,
            data: arguments.bytes(scope)?,
        })
    });
}

/// `subtleVerify(key, hash, saltLength, context, signature, data)`.
pub(crate) fn verify<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    rv: ReturnValue,
) {
    perform(scope, &args, rv, |scope, arguments| {
        Some(Task::Verify {
            key: arguments.key()?,
            scheme: arguments.scheme(scope)?,
            signature: arguments.bytes(scope)?.to_vec(),
            data: arguments.bytes(scope)?,
        })
    });
}

/// `subtleGenerate(algorithm, parameter, length, publicExponent, usages)`.
pub(crate) fn generate<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    rv: ReturnValue,
) {
    perform(scope, &args, rv, |scope, arguments| {
        let parameters = arguments.algorithm()?;
        let generation = Generation {
            algorithm: parameters.algorithm,
            hash: parameters.hash,
            curve: parameters.curve,
            length_bits: parameters.length_bits,
            public_exponent: arguments.bytes(scope)?.to_vec(),
            usages: arguments.number(),
        };
        match generation.check() {
            Ok(()) => Some(Task::Generate(generation)),
            Err(fault) => {
                throw(scope, &fault);
                None
            }
        }
    });
}

/// `subtleDerive(key, hash, first, second, iterations, length)`, and behind that, where the bits are to be
/// a key, what `subtleImport` has first.
pub(crate) fn derive<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    rv: ReturnValue,
) {
    let makes_key = args.length() > 6;
    perform(scope, &args, rv, |scope, arguments| {
        let key = arguments.key()?;
        let (derivation, length_bits) = arguments.derivation(scope, &key)?;
        if !makes_key {
            return Some(Task::DeriveBits {
                key,
                derivation,
                length_bits,
            });
        }
        Some(Task::DeriveKey {
            key,
            derivation,
            length_bits,
            import: arguments.import()?,
        })
    });
}

/// `subtleImport(algorithm, parameter, length, extractable, usages, format, data)`: a key.
pub(crate) fn import<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    v8::tc_scope!(let scope, scope);
    let read = Arguments::new(scope, &args).and_then(|mut arguments| {
        let import = arguments.import()?;
        let data = arguments.key_data(scope)?;
        Some((arguments, import, data))
    });
    match read {
        Some((arguments, import, data)) => match import.run(&data) {
            Ok(key) => {
                let realm = arguments.realm;
                drop((data, arguments));
                if let Some(key) = value_of(scope, realm, Output::Key(key)) {
                    rv.set(key);
                }
            }
            Err(fault) => throw(scope, &fault),
        },
        None if scope.has_caught() => {}
        None => throw(scope, &unexpected()),
    }
    if scope.has_caught() {
        scope.rethrow();
    }
}

/// `subtleExport(format, key, usages, extractable)`: an ArrayBuffer, or a list of a JSON Web Key's members.
pub(crate) fn export<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let Some(mut arguments) = Arguments::new(scope, &args) else {
        return;
    };
    let (Some(format), Some(key)) = (arguments.format(), arguments.key()) else {
        throw(scope, &unexpected());
        return;
    };
    if format != Format::Jwk {
        match crypto::export(&key, format) {
            Ok(bytes) => {
                if let Some(bytes) = value_of(scope, arguments.realm, Output::Bytes(bytes)) {
                    rv.set(bytes);
                }
            }
            Err(fault) => throw(scope, &fault),
        }
        return;
    }
    let (usages, extractable) = (arguments.number(), arguments.flag());
    match crypto::export_jwk(&key, usages, extractable) {
        Ok(jwk) => {
            let undefined: v8::Local<v8::Value> = v8::undefined(scope).into();
            let texts = jwk.texts().into_iter();
            let texts: Vec<_> = texts
                .map(|text| text.map_or(undefined, |text| values::string(scope, text)))
                .collect();
            rv.set(v8::Array::new_with_elements(scope, &texts).into());
        }
        Err(fault) => throw(scope, &fault),
    }
}

/// `subtleWrap(wrappingKey, first, second, number, format, key, usages)`.
pub(crate) fn wrap<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    rv: ReturnValue,
) {
    perform(scope, &args, rv, |scope, arguments| {
        let wrapping = arguments.key()?;
        let cipher = arguments.cipher(scope, &wrapping)?;
        Some(Task::Wrap {
            wrapping,
            cipher,
            format: arguments.format()?,
            key: arguments.key()?,
            usages: arguments.number(),
        })
    });
}

/// `subtleUnwrap(unwrappingKey, first, second, number, algorithm, parameter, length, extractable, usages,
/// format, data)`: a key.
pub(crate) fn unwrap<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    rv: ReturnValue,
) {
    perform(scope, &args, rv, |scope, arguments| {
        let unwrapping = arguments.key()?;
        let cipher = arguments.cipher(scope, &unwrapping)?;
        Some(Task::Unwrap {
            unwrapping,
            cipher,
            import: arguments.import()?,
            format: arguments.format()?,
            data: arguments.bytes(scope)?,
        })
    });
}

/// `subtleTake(id)`: the key or pair that the operation with that callback id made.
pub(crate) fn take<'s>(
    scope: &mut PinScope<'s, '_>,
    args: FunctionCallbackArguments<'s>,
    mut rv: ReturnValue,
) {
    let Some(realm) = RealmState::of(scope) else {
        return;
    };
    let id = id_of(scope, args.get(0));
    let made = realm.made_keys.borrow_mut().remove(&id);
    match made {
        Some((_, output)) => {
            if let Some(keys) = value_of(scope, realm, output) {
                rv.set(keys);
            }
        }
        None => throw(scope, &unexpected()),
    }
}
