"""Place names that open datelines in mixed case or without anything else to recognise them by.

An upper-case city needs no list; ``Jakarta - `` and ``Solo - `` do, or any first word would pass for a city.
"""

from __future__ import annotations

_INDONESIA = """
Aceh|Agam|Ambon|Badung|Bali|Balikpapan|Banda Aceh|Bandar Lampung|Bandung|Bandung Barat|Bangka
Bangka Belitung|Bangkalan|Bangli|Banjar|Banjarbaru|Banjarmasin|Banjarnegara|Bantaeng|Banten|Bantul|Banyumas
Banyuwangi|Batam|Batang|Batu|Bekasi|Belitung|Bengkalis|Bengkulu|Biak|Bima|Binjai|Bintan|Bitung|Blitar|Blora
Bogor|Bojonegoro|Bondowoso|Bone|Bontang|Boyolali|Brebes|Bukittinggi|Buleleng|Buton|Ciamis|Cianjur|Cibinong
Cikarang|Cilacap|Cilegon|Cimahi|Cirebon|DIY|DKI Jakarta|Deli Serdang|Demak|Denpasar|Depok|Dompu|Dumai|Ende
Fakfak|Garut|Gianyar|Gorontalo|Gowa|Gresik|Grobogan|Gunung Kidul|Gunungkidul|Gunungsitoli|Halmahera|IKN
Ibu Kota Nusantara|Indramayu|Jakarta|Jakarta Barat|Jakarta Pusat|Jakarta Selatan|Jakarta Timur|Jakarta Utara
Jambi|Jawa Barat|Jawa Tengah|Jawa Timur|Jayapura|Jember|Jembrana|Jepara|Jogja|Jogjakarta|Jombang
Kabupaten Bandung|Kabupaten Bekasi|Kabupaten Bogor|Kalimantan Barat|Kalimantan Selatan|Kalimantan Tengah
Kalimantan Timur|Kalimantan Utara|Kampar|Karanganyar|Karangasem|Karawang|Karo|Kebumen|Kediri|Kendal|Kendari
Kepulauan Riau|Kepulauan Seribu|Ketapang|Klaten|Klungkung|Kolaka|Kota Bandung|Kota Bogor|Kota Malang
Kotabaru|Kudus|Kulon Progo|Kulonprogo|Kuningan|Kupang|Kuta|Kutai Barat|Kutai Kartanegara|Kutai Timur
Labuan Bajo|Lamongan|Lampung|Lampung Selatan|Langkat|Lebak|Lhokseumawe|Lombok|Lombok Barat|Lombok Tengah
Lombok Timur|Lombok Utara|Lubuklinggau|Lumajang|Luwu|Madiun|Madura|Magelang|Magetan|Majalengka|Makassar
Malang|Maluku|Mamuju|Manado|Mangupura|Manokwari|Maros|Martapura|Mataram|Maumere|Medan|Mempawah|Merauke
Meulaboh|Mimika|Minahasa|Mojokerto|Morowali|Muara Enim|Nabire|Natuna|Nganjuk|Ngawi|Nias|Nunukan|Nusa Dua
Nusa Tenggara Barat|Nusa Tenggara Timur|Nusantara|Pacitan|Padang|Padang Panjang|Padangsidimpuan
Palangka Raya|Palangkaraya|Palembang|Palopo|Palu|Pamekasan|Pandeglang|Pangandaran|Pangkal Pinang
Pangkalan Bun|Pangkalpinang|Papua|Papua Barat|Parepare|Pariaman|Pasuruan|Pati|Payakumbuh|Pekalongan
Pekanbaru|Pemalang|Pematangsiantar|Penajam|Penajam Paser Utara|Ponorogo|Pontianak|Poso|Prabumulih
Probolinggo|Purbalingga|Purwakarta|Purwokerto|Purworejo|Rembang|Riau|Sabang|Salatiga|Samarinda|Sambas
Sampang|Sampit|Sanur|Semarang|Sentul|Serang|Sidoarjo|Sigi|Sikka|Singaraja|Singkawang|Sinjai|Situbondo|Sleman
Solo|Sorong|Sragen|Subang|Sukabumi|Sukoharjo|Sulawesi Selatan|Sulawesi Tengah|Sulawesi Tenggara
Sulawesi Utara|Sulsel|Sumatera Barat|Sumatera Selatan|Sumatera Utara|Sumba|Sumba Timur|Sumbawa|Sumedang
Sumenep|Surabaya|Surakarta|Tabanan|Tana Toraja|Tangerang|Tangerang Selatan|Tangsel|Tanjung Pinang
Tanjung Selor|Tanjungpinang|Tapanuli Selatan|Tapanuli Tengah|Tapanuli Utara|Tarakan|Tasikmalaya
Tebing Tinggi|Tegal|Temanggung|Ternate|Timika|Toba|Toraja|Trenggalek|Tuban|Tulungagung|Ubud|Ungaran|Wakatobi
Wamena|Wonogiri|Wonosobo|Yogyakarta
"""

_WORLD = """
Abu Dhabi|Abuja|Accra|Addis Ababa|Aljir|Almaty|Amman|Amsterdam|Ankara|Astana|Athena|Athens|Atlanta|Auckland
Baghdad|Baku|Bandar Seri Begawan|Bangalore|Bangkok|Barcelona|Beijing|Beirut|Bengaluru|Berlin|Bern|Bogota
Boston|Brasilia|Brisbane|Brussel|Brussels|Bucharest|Budapest|Buenos Aires|Cairo|Canberra|Caracas|Chicago
Colombo|Damascus|Damaskus|Davos|Den Haag|Dhaka|Dili|Doha|Dubai|Dublin|Frankfurt|Gaza|Geneva|Guangzhou
Hamburg|Hanoi|Havana|Helsinki|Ho Chi Minh City|Hong Kong|Honolulu|Houston|Islamabad|Istanbul|Jeddah|Jenewa
Jerusalem|Johannesburg|Johor Bahru|Kabul|Kairo|Kampala|Karachi|Kathmandu|Kiev|Kigali|Kobe|Kolkata|Kolombo
Kuala Lumpur|Kuching|Kuwait City|Kyiv|Kyoto|Lagos|Lima|Lisabon|Lisbon|London|Los Angeles|Macau|Madinah
Madrid|Makkah|Manchester|Manila|Mekkah|Melbourne|Mexico City|Miami|Milan|Montreal|Moscow|Moskow|Mumbai
Munich|Muscat|Nagoya|Nairobi|Naypyidaw|New Delhi|New York|Osaka|Oslo|Ottawa|Paris|Penang|Perth|Phnom Penh
Port Moresby|Prague|Praha|Pretoria|Putrajaya|Pyongyang|Ramallah|Riga|Rio de Janeiro|Riyadh|Roma|Rome
San Francisco|Santiago|Sao Paulo|Sarajevo|Seattle|Seoul|Shanghai|Shenzhen|Singapore|Singapura|Sofia
Stockholm|Sydney|Taipei|Tallinn|Tashkent|Tbilisi|Teheran|Tehran|Tel Aviv|The Hague|Tokyo|Toronto|Tripoli
Tunis|Ulan Bator|Vancouver|Vatican City|Vatikan|Vienna|Vientiane|Vilnius|Warsaw|Warsawa|Washington
Washington DC|Wellington|Wina|Wuhan|Yangon|Yerusalem|Zagreb|Zurich
"""

#: Names as written, longest first so that ``Jakarta Selatan`` is not cut after ``Jakarta``.
PLACES: tuple[str, ...] = tuple(
    sorted(
        {name for block in (_INDONESIA, _WORLD) for line in block.split("\n") for name in line.split("|") if name},
        key=lambda name: (-len(name), name),
    )
)
_KNOWN = frozenset(name.casefold() for name in PLACES)


def is_known_place(name: str) -> bool:
    """Whether the name, in any case, is one of the places datelines are written from."""
    return name.casefold() in _KNOWN
