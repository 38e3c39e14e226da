// Pictures, through img.src only.

// Small pictures such as digits are enlarged in whole pixels; smoothing would only blur them.
const SMALL_PICTURE = 64;

// The picture of a card; words instead of it where it cannot be read.
function pictureOf(card, missing, loading = "eager") {
  const image = element("img");
  image.alt = card.alt;
  image.decoding = "async";
  image.loading = loading; // before the address: a lazy picture must not be fetched at once
  image.onload = () => image.classList.toggle("pixels", image.naturalWidth <= SMALL_PICTURE);
  image.onerror = () => image.replaceWith(element("span", "missing", missing));
  image.src = card.src;
  return image;
}
