// The responder's pages: news brings the page up to date; nothing else moves under a thumb.

const hand = document.getElementById("hand");

async function again() {
  const typed = document.getElementById("note");
  const unfolded = hand.querySelector("details[open]");
  if (typed && typed.value) return; // words are being written here
  const answer = await fetch(location.pathname, { cache: "no-store" });
  if (!answer.ok) {
    location.assign("/respond");
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("hand");
  if (!fresh || (unfolded && hand.dataset.live === "card")) return;
  hand.replaceChildren(...fresh.childNodes);
}

const source = new EventSource("/respond/events");
source.addEventListener("error", () => {
  if (source.readyState === EventSource.CLOSED) location.assign("/login?next=/respond"); // the session is over
});
source.addEventListener("message", ({ data }) => {
  const event = JSON.parse(data);
  if (hand.dataset.live === "card" && event.alert && event.alert !== hand.dataset.alert) return;
  again().then(() => {
    const words = {
      "handed-over": "A new card is there.",
      "called-off": "A card was called off.",
      "not-confirmed": "Lives may be in danger. Nobody has confirmed it yet.",
    };
    const said = document.getElementById("said");
    if (said) said.textContent = words[event.type] || "Brought up to date.";
  });
});
