// So is a revoked proxy.
// modes: worker context pool process
// expect: throws *
const { proxy, revoke } = Proxy.revocable({}, {});
revoke();
throw proxy;
