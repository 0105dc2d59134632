// So is a revoked proxy.
// modes: worker context pool
// expect: throws *
const { proxy, revoke } = Proxy.revocable({}, {});
revoke();
throw proxy;
