-- uses common
-- What the hash says of the user's plan or usage is out of date.
-- KEYS 1 user
if redis.call('EXISTS', KEYS[1]) == 1 then outdate(KEYS[1]) end
