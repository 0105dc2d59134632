// A WebSocket reaches no more than a fetch does.
// modes: worker context pool process
// expect: response 200 ok
for (const url of ['ws://127.0.0.1:9/', 'wss://[::1]/', 'ws://169.254.169.254/', 'ws://10.0.0.1/']) {
  const ended = await new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => resolve('open');
    socket.onclose = (event) => resolve(event.code);
  });
  if (ended !== 1006) return new Response(`${url} ${ended}`);
}
return new Response('ok');
